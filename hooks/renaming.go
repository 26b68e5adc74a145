package hooks

import (
	"path"
	"slices"
	"strings"

	"ferry/events"
)

// A name can change on the remote without that being recorded, if the process is killed in between.
// So an upload whose name may still change notes a rename before it is made; the next process asks
// the remote.

// A renaming is a rename that is being made.
type renaming struct{ user, from, to string }

// newPath returns the path that a file has after the rename; ok is false if it keeps its own.
func (r renaming) newPath(user, p string) (string, bool) {
	if user != r.user {
		return "", false
	}
	if p == r.from {
		return r.to, true
	}
	below, ok := strings.CutPrefix(p, strings.TrimSuffix(r.from, "/")+"/")
	return path.Join("/", r.to, below), ok
}

// concerned returns the uploads that a rename gives another path, the oldest first.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) concerned(r renaming) []*item {
	if list, isFile := x.settling[owned{r.user, r.from}]; isFile {
		return slices.Clone(list)
	}
	below := strings.TrimSuffix(r.from, "/") + "/"
	var all []*item
	for at, list := range x.settling {
		if at.user == r.user && strings.HasPrefix(at.path, below) {
			all = append(all, list...)
		}
	}
	slices.SortFunc(all, byAge)
	return all
}

func renamingOf(e *events.Event) renaming { return renaming{e.User, e.Path, e.To} }

// prepareRename notes that e is about to be made.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) prepareRename(e *events.Event) error {
	if x.journal == nil {
		return errNotOpen
	}
	r := renamingOf(e)
	x.renaming[e.ID] = r
	for _, it := range x.concerned(r) {
		it.maybe, _ = r.newPath(it.user, it.path)
		if err := x.keep(it, nil); err != nil {
			return err
		}
	}
	return nil
}

// withdrawRename notes that it is not made.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) withdrawRename(id string) {
	r, ok := x.renaming[id]
	if !ok {
		return
	}
	delete(x.renaming, id)
	for _, it := range x.concerned(r) {
		it.maybe = ""
		x.report(it, x.keep(it, nil))
	}
}

// mayBecome returns the path that an upload will have if a rename that is being made succeeds.
//
// LOCKS_REQUIRED(x.mu)
func (x *Outbox) mayBecome(it *item) string {
	for _, r := range x.renaming {
		if to, ok := r.newPath(it.user, it.path); ok {
			return to
		}
	}
	return ""
}
