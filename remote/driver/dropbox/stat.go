package dropbox

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := remote.Check(ctx, name); err != nil {
		return remote.Entry{}, fail("stat", name, err)
	}
	m, err := r.stat(ctx, name)
	if err != nil {
		return remote.Entry{}, fail("stat", name, err)
	}
	if name == "." {
		return remote.Entry{Name: ".", Dir: true, ID: number(m.ID), ReadOnly: m.Sharing.ReadOnly}, nil
	}
	base, bad := remote.ReadName(r.opt.Encoding, m.Name)
	if bad != "" { // it was found under the name that was asked for
		_, base = remote.Split(name)
	}
	return m.entry(base), nil
}

// stat asks for what is called name. A document is not there.
func (r *Remote) stat(ctx context.Context, name string) (*metadata, error) {
	path := r.path(name)
	if path == "" { // which has no metadata, and is always there
		var page listPage
		err := r.service.rpc(ctx, "files/list_folder", listArg{Path: path, Limit: 1}, &page)
		return &metadata{Tag: tagFolder}, err
	}
	m := new(metadata)
	if err := r.service.rpc(ctx, "files/get_metadata", pathArg{Path: path}, m); err != nil {
		return nil, unreadable(err)
	}
	switch {
	case m.Name == "":
		return nil, errMalformed
	case m.document():
		return nil, remote.ErrNotExist
	case name == "." && m.Tag != tagFolder:
		return nil, remote.ErrNotDir
	}
	if m.Tag == tagFolder {
		r.parents.add(name)
	}
	return m, nil
}

// unreadable says of a name that Dropbox cannot hold that it is not there.
func unreadable(err error) error {
	if errors.Is(err, remote.ErrBadName) {
		return remote.ErrNotExist
	}
	return err
}

type pathArg struct {
	Path string `json:"path"`
}

const (
	knownFor   = time.Minute // how long a directory is known to be there
	mostKnown  = 10_000      // directories; more are forgotten
	parentRoot = "."
)

// parents are the directories that were there a moment ago. Dropbox makes missing ones, which is
// not wanted: so they are looked for before something is stored in them.
type parents struct {
	mu   sync.Mutex
	seen map[string]time.Time // guarded by mu; by name
}

func (p *parents) knows(dir string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.seen[dir]
	return ok && time.Since(t) < knownFor
}

func (p *parents) add(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= mostKnown {
		p.seen = map[string]time.Time{}
	}
	p.seen[dir] = time.Now()
}

// forget forgets dir and all below it.
func (p *parents) forget(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for seen := range p.seen {
		if dir == parentRoot || strings.EqualFold(seen, dir) || len(seen) > len(dir) && seen[len(dir)] == '/' && strings.EqualFold(seen[:len(dir)], dir) {
			delete(p.seen, seen)
		}
	}
}

// checkParent returns ErrNotExist or ErrNotDir where name has no directory to be in.
func (r *Remote) checkParent(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	if r.path(dir) == "" || r.parents.knows(dir) {
		return nil
	}
	m, err := r.stat(ctx, dir)
	if err != nil {
		return err
	}
	if m.Tag != tagFolder {
		return remote.ErrNotDir
	}
	return nil
}
