package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

const (
	// DirMoveLimit is how many objects moveAll moves unless it is told otherwise.
	DirMoveLimit = 10_000
	// maxRounds is how often moveAll looks for what was stored in the directory while it was
	// copying.
	maxRounds = 5
	// undoTime is how long it may take to remove the copies of a moveAll that failed.
	undoTime = time.Minute
)

// moveAll gives everything whose key begins with from.Name a key that begins with to.Name; both end
// with a slash, and nothing begins with the latter. It is not one step. First everything is copied.
// If that fails, the copies are removed again, and the original is as it was. When all is copied,
// and nothing was stored in the directory since, each original is removed if it still is the
// version that was copied: what is stored from then on stays where it was stored. If that fails,
// the new directory is whole, and the error satisfies errors.Is with remote.ErrExist. A process
// that is killed meanwhile leaves copies beside the whole original, or a rest of it beside the
// whole copy.
//
// A directory of more than Config.DirMoveLimit objects is refused before anything is copied: the
// keys are held in memory, and nobody waits for ever.
func (t *Tree) moveAll(ctx context.Context, from, to Key) error {
	limit := cmp.Or(t.config.DirMoveLimit, DirMoveLimit)
	m := &dirMove{tree: t, from: from, to: to, limit: limit, copied: map[string]stamped{}, begun: map[string]thing{}}
	if err := m.copyAll(ctx); err != nil {
		return m.undo(ctx, err)
	}
	if err := m.remove(ctx, m.originals()); err != nil {
		return &remainsError{err}
	}
	return nil
}

// A dirMove is a moveAll under way.
type dirMove struct {
	// constant
	tree     *Tree
	from, to Key
	limit    int

	found []thing // all that was there when it was looked at last

	mu     sync.Mutex
	copied map[string]stamped // by the names of originals; guarded by mu
	begun  map[string]thing   // what may be a copy, by the names of originals; guarded by mu
}

// stamped is what is known of an original that was copied.
type stamped struct{ stamp, version string }

// A thing is an object that may have to be removed.
type thing struct {
	Key
	version string // "" = whatever is there
	dir     bool   // it stands for a directory
}

// tooManyError refuses a directory that is too large.
type tooManyError struct{ limit int }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("the directory holds more than %d objects: rename what is in it in smaller pieces, or raise the option dir_move_limit", e.limit)
}

// Hint is what an FTP client is told.
func (e *tooManyError) Hint() string {
	return fmt.Sprintf("This directory holds more than %d files: rename what is in it in smaller pieces.", e.limit)
}

func (e *tooManyError) Unwrap() error { return remote.ErrPermission }

// remainsError says that the original of a directory could not be removed.
type remainsError struct{ err error }

func (e *remainsError) Error() string {
	return fmt.Sprintf("it was copied whole, but the old directory could not be removed: delete what is left of it (%v)", e.err)
}

// Hint is what an FTP client is told.
func (e *remainsError) Hint() string {
	return "The new directory is whole, but the old one could not be removed: delete what is left of it."
}

func (e *remainsError) Unwrap() []error { return []error{remote.ErrExist, e.err} }

var errBusy = fmt.Errorf("%w: files are stored in the directory all the time", remote.ErrChanged)

// copyAll copies until nothing has changed since it was copied.
func (m *dirMove) copyAll(ctx context.Context) error {
	missing := map[string]string{}
	for range maxRounds {
		now, err := m.look(ctx)
		if err != nil {
			return err
		}
		var todo []Object
		for name, o := range now {
			if version, vanished := missing[name]; vanished && version == stamp(o) {
				return fmt.Errorf("copying to %s: %w", m.to.Bucket, remote.ErrNotExist) // it is the target that is not there
			}
			if m.copied[name].stamp != stamp(o) {
				todo = append(todo, o)
			}
		}
		gone := m.gone(now)
		if len(todo)+len(gone) == 0 {
			return nil
		}
		err = each(ctx, todo, func(ctx context.Context, o Object) error { return m.copy(ctx, o) })
		if err == nil {
			err = m.remove(ctx, gone)
		}
		if err != nil {
			return err
		}
		for _, o := range todo {
			if m.copied[o.Name].stamp == "" {
				missing[o.Name] = stamp(o)
			}
		}
	}
	return errBusy
}

// look lists the originals. Unfinished uploads are not to be copied.
func (m *dirMove) look(ctx context.Context) (map[string]Object, error) {
	m.found = nil
	files := map[string]Object{}
	for o, err := range m.tree.store.All(ctx, m.from) {
		if err != nil {
			return nil, err
		}
		m.found = append(m.found, thing{Key: Key{m.from.Bucket, o.Name}, dir: o.Dir || strings.HasSuffix(o.Name, "/")})
		if m.limit > 0 && len(m.found) > m.limit {
			return nil, &tooManyError{m.limit}
		}
		_, base := remote.Split(o.Name)
		if !partname.Hidden(base) {
			files[o.Name] = o
		}
	}
	return files, nil
}

// stamp is another when the content is. It is never empty.
func stamp(o Object) string { return fmt.Sprint(o.Version, " ", o.Size, " ", o.ModTime.UnixNano()) }

// target is the copy of an original.
func (m *dirMove) target(o Object) thing {
	name := m.to.Name + strings.TrimPrefix(o.Name, m.from.Name)
	if o.Dir && !strings.HasSuffix(name, "/") {
		name += "/"
	}
	return thing{Key: Key{m.to.Bucket, name}, dir: strings.HasSuffix(name, "/")}
}

func (m *dirMove) copy(ctx context.Context, o Object) error {
	target := m.target(o)
	m.mu.Lock()
	m.begun[o.Name] = target
	delete(m.copied, o.Name)
	m.mu.Unlock()
	version, made, err := m.tree.copyObject(ctx, m.from.Bucket, o, target.Key)
	if errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrChanged) {
		return nil // somebody has deleted it or replaced it, which the next look sees
	}
	if err == nil {
		target.version = made
		m.mu.Lock()
		m.begun[o.Name] = target
		m.copied[o.Name] = stamped{stamp(o), version}
		m.mu.Unlock()
	}
	return err
}

// copyObject replaces to with the content and the facts of the object o of a bucket, its time
// included, on the far side, and returns their versions, "" where they are not known. If o is not
// there any more, that is remote.ErrNotExist; if there is another version, that may be copied, or
// it is remote.ErrChanged. What stands for a directory by a convention of the service becomes a
// marker: it may not be possible to copy it.
func (t *Tree) copyObject(ctx context.Context, bucket string, o Object, to Key) (version, made string, err error) {
	switch {
	case o.Dir && strings.HasSuffix(o.Name, "/"):
		return "", "", t.putMarker(ctx, to)
	case o.Dir:
		return "", "", t.mark(ctx, to)
	}
	made, err = t.store.Copy(ctx, Key{bucket, o.Name}, o, to)
	if err != nil {
		return "", "", err
	}
	if o.TimeKept || o.ModTime.IsZero() || strings.HasSuffix(to.Name, "/") {
		return o.Version, made, nil
	}
	return o.Version, "", t.store.SetModTime(ctx, to, o.ModTime) // which may make another version of it
}

// originals returns all that was found, with the versions that were copied.
func (m *dirMove) originals() []thing {
	for i, t := range m.found {
		m.found[i].version = m.copied[t.Name].version
	}
	return m.found
}

// gone forgets the originals that have been deleted since they were copied, and returns their
// copies.
func (m *dirMove) gone(now map[string]Object) []thing {
	var copies []thing
	for name := range m.copied {
		if _, ok := now[name]; !ok {
			copies = append(copies, m.begun[name])
			delete(m.copied, name)
		}
	}
	return copies
}

// undo removes the copies that were made until err came.
func (m *dirMove) undo(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if failed := m.remove(ctx, slices.Collect(maps.Values(m.begun))); failed != nil {
		return fmt.Errorf("%w (and the copies that were made are left in the new directory: %v)", err, failed)
	}
	return err
}

// remove deletes files first, then what stands for directories, deepest first, as some services
// have real ones.
func (m *dirMove) remove(ctx context.Context, things []thing) error {
	var files, dirs []thing
	for _, t := range things {
		if t.dir {
			dirs = append(dirs, t)
		} else {
			files = append(files, t)
		}
	}
	if err := each(ctx, files, m.delete); err != nil {
		return err
	}
	slices.SortFunc(dirs, func(a, b thing) int { return strings.Compare(b.Name, a.Name) })
	for _, d := range dirs {
		if err := persist(ctx, func() error { return m.delete(ctx, d) }); err != nil {
			return err
		}
	}
	return nil
}

// delete removes a thing, unless somebody has replaced it, or has stored something in a directory
// that is a real one.
func (m *dirMove) delete(ctx context.Context, t thing) error {
	err := m.tree.store.Delete(ctx, t.Key, t.version)
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrChanged), t.dir && errors.Is(err, remote.ErrNotEmpty):
		return nil
	}
	return err
}
