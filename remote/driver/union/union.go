// Package union is one tree in which several remotes lie over one another: what any of them has is
// there, and policies say which of them a call is about, as in rclone.
//
// A remote that does not answer is never taken for empty. Listings leave it out and say so; of a
// name that only it could have nothing is known; and nothing is made, replaced, renamed or removed
// while it is not known who has it.
//
//	union.go    the remote and its upstreams
//	stage.go put.go move.go change.go  changes; uploads.go sweep.go: what uploads leave
//	list.go read.go ability.go watch.go    everything else
//	target.go   which upstreams a change is made on
//	look.go     who has a name
//	policy.go   policies; usage.go: how full upstreams are
//	upstream.go one of the remotes
package union

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/namelock"
)

// Options say how the upstreams are used. The zero value of everything but Upstreams has the
// defaults of rclone.
type Options struct {
	Upstreams []Upstream // in the order in which they are preferred
	Action    Policy     // "" = epall
	Create    Policy     // "" = epmfs
	Search    Policy     // "" = ff
	// CacheTime is how long it is remembered how full an upstream is; 0 = not at all.
	CacheTime time.Duration
	// MinFree is how many bytes an upstream must have free to be chosen by lfs and eplfs.
	MinFree int64
}

// Remote is a tree of remotes that lie over one another.
type Remote struct {
	// constant
	o     Options
	ups   []*upstream
	info  remote.Info
	keeps bool            // unfinished uploads are kept
	names *namelock.Names // held while it is found out who has a name, and it is made or removed

	mu     sync.Mutex
	claims map[string]*claim // uploads under way; guarded by mu
}

// New returns the tree of the upstreams, which it takes over. It is a remote.Stager when all of
// them are, and a remote.PartReader when all of them are.
func New(o Options) (remote.Remote, error) {
	if len(o.Upstreams) == 0 {
		return nil, errors.New("union: option upstreams names no remote: write remote:path other:path")
	}
	o.Action, o.Create, o.Search = cmp.Or(o.Action, "epall"), cmp.Or(o.Create, "epmfs"), cmp.Or(o.Search, "ff")
	for option, p := range map[string]Policy{"action_policy": o.Action, "create_policy": o.Create, "search_policy": o.Search} {
		if !p.valid() {
			return nil, fmt.Errorf("union: option %s: there is no policy %q; there are %s", option, string(p), strings.Join(Policies(), ", "))
		}
	}
	r := &Remote{o: o, names: namelock.New(), claims: map[string]*claim{}}
	stagers, readable := true, true
	var names, places []string
	for i, u := range o.Upstreams {
		up := &upstream{Upstream: u, index: i}
		_, ok := remote.AsStager(u.Remote)
		stagers = stagers && (ok || up.readOnly())
		_, ok = remote.AsPartReader(u.Remote)
		readable = readable && (ok || up.readOnly())
		r.ups = append(r.ups, up)
		names = append(names, u.Remote.Info().Name)
		places = append(places, u.Remote.Info().Identity())
	}
	r.info = remote.Info{Name: "union:" + strings.Join(names, " "), Place: "union:" + strings.Join(places, " "), Caps: common(r.ups)}
	stagers = stagers && !r.info.Caps.ReadOnly
	r.keeps = stagers && !r.info.Caps.NoParts
	switch {
	case !stagers:
		return r, nil
	case readable:
		return &partReader{&stager{r}}, nil
	}
	return &stager{r}, nil
}

// common returns what may be relied on whichever upstream a name is in. Where nothing is changed,
// it does not matter how.
func common(ups []*upstream) remote.Caps {
	var all []remote.Caps
	for _, u := range ups {
		c := u.Remote.Info().Caps
		c.ReadOnly, c.MoveDir = u.readOnly(), c.MoveDir || u.readOnly()
		all = append(all, c)
	}
	return remote.CommonCaps(all[0], all[1:]...)
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Run implements remote.Runner.
func (r *Remote) Run(ctx context.Context) error {
	var all []remote.Remote
	for _, u := range r.ups {
		all = append(all, u.Remote)
	}
	return remote.Run(ctx, all...)
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	var errs []error
	for _, u := range r.ups {
		errs = append(errs, u.Remote.Close())
	}
	return errors.Join(errs...)
}
