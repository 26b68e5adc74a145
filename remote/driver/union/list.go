package union

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"strings"

	"ferry/remote"
)

// maxNames is how many names a listing remembers, to yield none twice: a few megabytes. In a longer
// one the upstreams that were listed are asked for each name that comes then.
const maxNames = 100_000

// names are the names that a listing has yielded, by their hashes.
type names struct {
	seed maphash.Seed
	fold bool
	seen map[uint64]struct{}
	most int
}

// add reports whether the name was there, or that it is not known.
func (n *names) add(name string) (there, known bool) {
	if n.fold {
		name = strings.ToLower(name)
	}
	h := maphash.String(n.seed, name)
	if _, ok := n.seen[h]; ok {
		return true, true
	}
	if len(n.seen) >= n.most {
		return false, false
	}
	n.seen[h] = struct{}{}
	return false, true
}

// List implements remote.Remote. The upstreams are listed one after the other, in the order of the
// search policy. One that does not answer is omitted.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return r.list(ctx, dir, maxNames)
}

func (r *Remote) list(ctx context.Context, dir string, most int) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		if err := remote.Check(ctx, dir); err != nil {
			return remote.Renamed("list", dir, err)
		}
		l := lister{r: r, dir: dir, take: take, names: names{maphash.MakeSeed(), r.info.Caps.CaseInsensitive, map[uint64]struct{}{}, most}, parts: map[string]kept{}}
		states := make(looked, len(r.ups))
		for i, u := range r.ordered(ctx, r.o.Search, r.ups) {
			states[i] = held{up: u, err: l.one(ctx, u)}
			switch err := states[i].err; {
			case l.done:
				return nil
			case ctx.Err() != nil:
				return remote.Renamed("list", dir, context.Cause(ctx))
			case err == nil:
				l.before = append(l.before, u)
			case !absent(err):
				remote.Omitted(ctx, u.name(), "this upstream does not answer")
				remote.Incomplete(ctx)
			}
		}
		for _, p := range l.parts {
			if !take(p.up.seen(p.entry)) {
				return nil
			}
		}
		if len(l.before) == 0 && !l.any {
			return remote.Renamed("list", dir, states.missing())
		}
		return nil
	})
}

// A lister makes one listing of several.
type lister struct {
	r      *Remote
	dir    string
	take   func(remote.Entry) bool
	names  names
	parts  map[string]kept // unfinished uploads, which come last
	before []*upstream     // that were listed
	any    bool            // an entry was yielded
	done   bool            // the consumer has stopped
}

// kept is an unfinished upload in an upstream.
type kept struct {
	up    *upstream
	entry remote.Entry
}

// one yields what an upstream adds to the listing.
func (l *lister) one(ctx context.Context, u *upstream) error {
	any, err := l.once(ctx, u)
	for range tries {
		if any || !lost(err) {
			break
		}
		any, err = l.once(ctx, u)
	}
	return err
}

// once is one that tells whether the upstream has yielded anything.
func (l *lister) once(ctx context.Context, u *upstream) (any bool, err error) {
	for e, err := range u.Remote.List(ctx, l.dir) {
		if err != nil {
			return any, err
		}
		any = true
		if e.Part != "" {
			l.part(u, e)
			continue
		}
		there, known := l.names.add(e.Name)
		if !known {
			there = l.listed(ctx, e.Name)
		}
		if there {
			continue
		}
		l.any = true
		if !l.take(l.shown(ctx, u, e)) {
			l.done = true
			return true, nil
		}
	}
	return any, nil
}

// part takes an unfinished upload, if Part finds it: of several the one in the first upstream.
func (l *lister) part(u *upstream, e remote.Entry) {
	if !l.r.keeps || u.readOnly() {
		return
	}
	key := e.Part + "/" + e.Name
	if p, ok := l.parts[key]; !ok && len(l.parts) < l.names.most || ok && u.index < p.up.index {
		l.parts[key] = kept{u, e}
	}
}

// listed reports whether an upstream that was listed before has the name.
func (l *lister) listed(ctx context.Context, name string) bool {
	for _, u := range l.before {
		_, err := u.Remote.Stat(ctx, remote.Join(l.dir, name))
		if err == nil {
			return true
		}
		if !errors.Is(err, remote.ErrNotExist) {
			remote.Incomplete(ctx)
		}
	}
	return false
}

// shown is what is seen of an entry of an upstream. By newest that may be another one's.
func (l *lister) shown(ctx context.Context, u *upstream, e remote.Entry) remote.Entry {
	if l.r.o.Search.kind() == "newest" && len(l.r.ups) > 1 {
		if h, err := l.r.find(ctx, remote.Join(l.dir, e.Name)); err == nil {
			name := e.Name
			u, e = h.up, h.entry
			e.Name, e.Digest = name, ""
		}
	}
	return l.r.shown(u, e)
}
