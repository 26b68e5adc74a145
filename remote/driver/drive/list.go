package drive

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"ferry/remote"
)

// List implements remote.Remote. The service sorts the files, so that those of one name come
// together. Documents come last: one that would have the name of a file is left out.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		err := remote.Check(ctx, dir)
		if err == nil {
			started := false
			err = r.again(func() error {
				if started {
					return errLost
				}
				return r.list(ctx, dir, func(e remote.Entry) bool {
					started = true
					return take(e)
				})
			})
		}
		return r.fail("list", dir, err)
	})
}

var errLost = errors.New("the folder has gone while it was listed")

func (r *Remote) list(ctx context.Context, dir string, take func(remote.Entry) bool) error {
	folder, err := r.dir(ctx, dir)
	if err != nil {
		return err
	}
	l := &listing{r: r, folder: folder, take: take}
	if err := l.run(ctx); err != nil || l.taken > 0 || dir == "." && r.base == "." {
		return err
	}
	// Nothing is shown in a folder that was removed or moved, either.
	r.dirs.forgetPath(r.full(dir))
	switch now, err := r.dir(ctx, dir); {
	case err != nil:
		return err
	case now != folder:
		l.folder = now
		return l.run(ctx)
	}
	return nil
}

// A listing passes the entries of a folder on.
type listing struct {
	r      *Remote
	folder string
	take   func(remote.Entry) bool
	taken  int

	group     []*file         // files that follow each other and differ in case only
	documents []*file         // kept until all others have come
	exports   map[string]bool // names of files that a document could have, too
	stopped   bool            // nobody takes any more
	err       error
}

// mostOfOneName is how many files of one name are kept until it is found out which counts.
const mostOfOneName = 64

func (l *listing) run(ctx context.Context) error {
	r := l.r
	err := r.service.list(ctx, r.in(l.folder), "name", cmp.Or(r.options.ListChunk, defaultPage), fileFields, func(f *file) bool {
		name, omitted := r.shown(f)
		switch {
		case omitted == skipped:
			return true
		case omitted != "":
			remote.Omitted(ctx, f.Name, omitted)
			return true
		case f.isDocument():
			l.documents = append(l.documents, f)
			return true
		}
		if r.stem(name) != "" {
			if l.exports == nil {
				l.exports = map[string]bool{}
			}
			l.exports[name] = true
		}
		if len(l.group) > 0 && !strings.EqualFold(l.group[0].Name, f.Name) {
			l.flush(ctx)
		}
		l.group = append(l.group, f)
		if len(l.group) > mostOfOneName {
			l.shrink(ctx)
		}
		return l.err == nil && !l.stopped
	})
	if err != nil {
		return err
	}
	l.flush(ctx)
	slices.SortFunc(l.documents, func(a, b *file) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range l.documents {
		name, _ := r.shown(f)
		switch {
		case l.exports[name]:
			remote.Omitted(ctx, name, "there is a file of the name that the document would have")
			continue
		case len(l.group) > 0 && l.group[0].Name != f.Name:
			l.flush(ctx)
		}
		l.group = append(l.group, f)
	}
	l.flush(ctx)
	return l.err
}

// flush passes on what counts of the group.
func (l *listing) flush(ctx context.Context) {
	group := l.group
	l.group = nil
	for len(group) > 0 && !l.stopped && l.err == nil {
		name, _ := l.r.shown(group[0])
		var same, rest []*file
		for _, f := range group {
			if n, _ := l.r.shown(f); n == name {
				same = append(same, f)
			} else {
				rest = append(rest, f)
			}
		}
		l.pass(ctx, name, same)
		group = rest
	}
}

// shrink leaves of the group what may count; the rest of it is reported.
func (l *listing) shrink(ctx context.Context) {
	var kept []*file
	for _, f := range l.group {
		i := slices.IndexFunc(kept, func(k *file) bool { return k.Name == f.Name })
		if i < 0 {
			kept = append(kept, f)
			continue
		}
		counts, others := choose([]*file{kept[i], f})
		kept[i] = counts
		for _, o := range others {
			remote.Omitted(ctx, o.Name, sameName)
		}
	}
	if len(kept) > mostOfOneName/2 { // names that differ in case only
		l.group = kept
		l.flush(ctx)
		return
	}
	l.group = kept
}

// sameName is why a file is left out that does not count.
const sameName = "another one of the same name is shown, see doc/semantics.md"

// pass passes on which of the files of a name counts.
func (l *listing) pass(ctx context.Context, name string, same []*file) {
	counts, others := choose(same)
	for _, o := range others {
		remote.Omitted(ctx, o.Name, sameName)
	}
	content, err := l.r.content(ctx, counts)
	switch {
	case errors.Is(err, remote.ErrNotExist): // a shortcut that leads nowhere
		return
	case err != nil:
		l.err = err
		return
	}
	l.r.seen.note(counts, l.folder, name)
	e := l.r.entry(name, counts, content)
	e.Digest = ""
	l.taken++
	l.stopped = !l.take(e)
}
