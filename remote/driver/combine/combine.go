// Package combine is one tree made of several remotes: each is a directory of the root. The root
// itself cannot be changed.
package combine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"ferry/remote"
)

// An Upstream is a remote and the directory of the root that it becomes.
type Upstream struct {
	Dir    string
	Remote remote.Remote
}

// Remote is a tree of remotes.
type Remote struct {
	upstreams []Upstream
	info      remote.Info
	stages    bool // it is a remote.Stager
}

// New returns the tree of the upstreams, which it takes over. It is a remote.Stager when all of
// them are. A directory that is given twice, or is not one element of a path, is an error.
func New(upstreams []Upstream) (remote.Remote, error) {
	if len(upstreams) == 0 {
		return nil, errors.New("combine: option upstreams names no remote: write dir=remote:path")
	}
	seen := map[string]bool{}
	stagers, readable := true, true
	var names, places []string
	for _, u := range upstreams {
		if u.Dir == "" || u.Dir == "." || strings.Contains(u.Dir, "/") || !remote.ValidPath(u.Dir) {
			return nil, fmt.Errorf("combine: option upstreams: %q is not the name of a directory", u.Dir)
		}
		if seen[u.Dir] {
			return nil, fmt.Errorf("combine: option upstreams: the directory %q is there twice", u.Dir)
		}
		seen[u.Dir] = true
		_, ok := remote.AsStager(u.Remote)
		stagers = stagers && ok
		_, ok = remote.AsPartReader(u.Remote)
		readable = readable && (ok || u.Remote.Info().Caps.NoParts)
		names = append(names, u.Dir+"="+u.Remote.Info().Name)
		places = append(places, u.Dir+"="+u.Remote.Info().Identity())
	}
	r := &Remote{
		upstreams: upstreams,
		stages:    stagers,
		info: remote.Info{
			Name: "combine:" + strings.Join(names, " "), Place: "combine:" + strings.Join(places, " "), Caps: common(upstreams),
		},
	}
	switch {
	case !stagers:
		return r, nil
	case readable:
		return &partReader{&stager{r}}, nil
	}
	return &stager{r}, nil
}

// common returns what may be relied on whichever upstream a name is in. What only some of them keep
// of uploads is kept there.
func common(upstreams []Upstream) remote.Caps {
	var all []remote.Caps
	none := true
	for _, u := range upstreams {
		c := u.Remote.Info().Caps
		none = none && c.NoParts
		all = append(all, c)
	}
	common := remote.CommonCaps(all[0], all[1:]...)
	common.NoParts = none
	return common
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Run implements remote.Runner.
func (r *Remote) Run(ctx context.Context) error {
	var all []remote.Remote
	for _, u := range r.upstreams {
		all = append(all, u.Remote)
	}
	return remote.Run(ctx, all...)
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	var errs []error
	for _, u := range r.upstreams {
		errs = append(errs, u.Remote.Close())
	}
	return errors.Join(errs...)
}

// A place is where a name is: in an upstream, or in the root when up is nil.
type place struct {
	up   *Upstream
	name string // inside the upstream
}

// top reports whether p is a directory of the root.
func (p place) top() bool { return p.up != nil && p.name == "." }

// find returns the place of name. What is in the root and is no upstream is ErrNotExist.
func (r *Remote) find(ctx context.Context, name string) (place, error) {
	if !remote.ValidPath(name) {
		return place{}, remote.ErrInvalid
	}
	if ctx.Err() != nil {
		return place{}, context.Cause(ctx)
	}
	if name == "." {
		return place{name: "."}, nil
	}
	dir, rest, below := strings.Cut(name, "/")
	if !below {
		rest = "."
	}
	for i := range r.upstreams {
		if r.upstreams[i].Dir == dir {
			return place{&r.upstreams[i], rest}, nil
		}
	}
	return place{}, remote.ErrNotExist
}

// findNew returns the place of something that is to be made. The root takes nothing new.
func (r *Remote) findNew(ctx context.Context, name string) (place, error) {
	p, err := r.find(ctx, name)
	if err == remote.ErrNotExist && !strings.Contains(name, "/") {
		err = remote.ErrPermission
	}
	return p, err
}

// seen changes an entry of the upstream into what is seen here.
func (u *Upstream) seen(e remote.Entry) remote.Entry {
	if e.ID == 0 {
		return e
	}
	h := fnv.New64a() // two upstreams may have given the same number
	h.Write(binary.BigEndian.AppendUint64([]byte(u.Dir), e.ID))
	e.ID = max(1, h.Sum64())
	return e
}
