package writeback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ferry/cache"
	"ferry/remote"
)

// Conflict says what becomes of a file that others have stored on the remote while a change of its
// name waited here.
type Conflict uint8

const (
	Overwrite Conflict = iota // the change is made all the same: the last one wins
	// KeepBoth keeps that file beside the new one, and does not remove it.
	KeepBoth
)

const (
	// maxRaces is how often an attempt meets another file before it waits.
	maxRaces = 5
	// lookFirst is the size from which on a content is not sent before it is known that it may be:
	// a request is cheaper.
	lookFirst = 1 << 20
	// maxCopies is how many names are tried for one file that is kept.
	maxCopies = 100
)

// A putter stores a pending content, with a version only in its place.
type putter func(only *string) (remote.Entry, error)

// putOver stores the content of c by put, and keeps what others have stored under its name since
// the change was made. The remote orders the nodes: a file that was looked at is replaced only if
// it is that one still.
func (v *Tree) putOver(ctx context.Context, c *change, rec cache.Record, put putter) (remote.Entry, error) {
	v.mu.Lock()
	x, again := c.over, c.tries > 0 || rec.Recovered || c.isApplied
	v.mu.Unlock()
	version, exact := x.exactly()
	if exact && !again && rec.Size < lookFirst && v.conditional.Load() {
		e, err := put(&version)
		if !errors.Is(err, remote.ErrChanged) && !errors.Is(err, remote.ErrUnsupported) {
			return e, err
		}
		v.noteAbility(err)
	}
	for range maxRaces {
		there, done, err := v.clear(ctx, c, rec, x)
		if err != nil {
			return remote.Entry{}, err
		}
		if done {
			v.names.Stored(rec.Name, there)
			return there, nil
		}
		only := &there.Version // "" where nothing is there
		if !v.conditional.Load() || there.Name != "" && there.Version == "" {
			only = nil
		}
		e, err := put(only)
		if !errors.Is(err, remote.ErrChanged) && !errors.Is(err, remote.ErrUnsupported) || only == nil {
			return e, err
		}
		v.noteAbility(err)
	}
	return remote.Entry{}, errContended
}

var errContended = errors.New("others store a file of this name all the time")

// noteAbility notes that the remote knows no preconditions, if err says so.
func (v *Tree) noteAbility(err error) {
	if errors.Is(err, remote.ErrUnsupported) {
		v.conditional.Store(false)
	}
}

// exactly returns the version that the remote has if nobody has changed the name, "" for none; and
// whether there is only one.
func (x expectation) exactly() (version string, ok bool) {
	return x.version, x.base == cache.BaseAbsent || x.base == cache.BasePresent && x.version != ""
}

// clear looks at what the content of rec would replace, and keeps it beside if it is another
// node's. done: it is that content already, stored by a request whose answer was lost, or by an
// earlier process. Of a name that has nothing, the entry is zero.
func (v *Tree) clear(ctx context.Context, c *change, rec cache.Record, x expectation) (there remote.Entry, done bool, err error) {
	there, err = v.remote.Stat(ctx, rec.Name)
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir):
		return remote.Entry{}, false, nil
	case err != nil, there.Dir: // of which the Put says what it is
		return there, false, err
	}
	v.mu.Lock()
	begun := rec.Recovered || c.tries > 0 || c.isApplied
	v.mu.Unlock()
	if v.ours(x, there, rec.Committed) {
		return there, false, nil
	}
	if begun {
		if done, err = v.isContent(ctx, rec, there); done || err != nil {
			return there, done, err
		}
	}
	return there, false, v.keepBeside(ctx, rec, there)
}

// isContent reports whether e, the remote's file of the name of rec, has the content of rec. It is
// read if nothing else tells.
func (v *Tree) isContent(ctx context.Context, rec cache.Record, e remote.Entry) (bool, error) {
	if e.Size >= 0 && e.Size != rec.Size {
		return false, nil
	}
	if same, known := v.hasContent(ctx, rec, e); known {
		return same, nil
	}
	if v.finelyTimed(e) {
		return v.sameTime(e, rec.ModTime), nil
	}
	return v.readsAs(ctx, rec)
}

// keepBeside makes a copy of e, which another node has stored under the name of rec, under a name
// that has nothing. If the file is no longer e, there is nothing to be kept.
func (v *Tree) keepBeside(ctx context.Context, rec cache.Record, e remote.Entry) error {
	to, made, err := v.copyName(ctx, rec, e)
	if err != nil || made {
		return err
	}
	err = remote.Copy(ctx, v.remote, rec.Name, to)
	switch {
	case errors.Is(err, remote.ErrNotExist): // it has gone meanwhile
		return nil
	case err != nil:
		return fmt.Errorf("what another node has stored cannot be kept as %s: %w", path.Base(to), err)
	}
	v.noteRemoteChange(to)
	now, err := v.remote.Stat(ctx, rec.Name)
	if err != nil && !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	if err != nil || !v.sameFile(now, e) {
		return nil // the copy may be of the next one: it stays, and the caller looks again
	}
	v.log.LogAttrs(ctx, slog.LevelWarn, "another node has stored a file while a change of its name waited here; it is kept beside",
		slog.String("path", rec.Name), slog.String("kept", to), slog.String("version", e.Version), slog.Int64("size", e.Size),
		slog.Time("modified", e.ModTime))
	return v.tell.conflict(ctx, rec, e, to)
}

// copyName returns the name under which e, which has the name of rec, is kept. made: it is kept
// there already.
func (v *Tree) copyName(ctx context.Context, rec cache.Record, e remote.Entry) (to string, made bool, err error) {
	when := e.ModTime
	if when.IsZero() {
		when = rec.Committed
	}
	for n := range maxCopies {
		to = conflictName(rec.Name, v.node, when, n, v.caps.MaxName)
		if st, _ := v.look(to); st == isFile || st == isMoved || st == isDir {
			continue
		}
		there, err := v.remote.Stat(ctx, to)
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return to, false, nil
		case err != nil:
			return "", false, err
		case !there.Dir && there.Size == e.Size && v.sameKept(there, e):
			return to, true, nil
		}
	}
	return "", false, fmt.Errorf("there are %d files already that were kept of this one", maxCopies)
}

// sameKept reports whether the copy there surely is one of e, of an earlier attempt.
func (v *Tree) sameKept(there, e remote.Entry) bool {
	if there.Digest != "" && e.Digest != "" {
		return there.Digest == e.Digest
	}
	return v.finelyTimed(there) && v.sameTime(there, e.ModTime)
}

// conflictName is the name of the n-th copy of a file that was changed at a time. It is shortened
// to be no longer than limit bytes; 0 = there is no limit.
func conflictName(name, node string, when time.Time, n, limit int) string {
	suffix := ".conflict-" + node + "-" + when.UTC().Format("20060102-150405")
	if n > 0 {
		suffix += fmt.Sprintf("-%d", n+1)
	}
	dir, base := remote.Split(name)
	if limit > 0 && len(base)+len(suffix) > limit {
		base = base[:max(limit-len(suffix), 1)]
		for len(base) > 1 && !utf8.ValidString(base) && utf8.ValidString(name) {
			base = base[:len(base)-1]
		}
	}
	return remote.Join(dir, strings.TrimSpace(base)+suffix)
}

// removeOver removes the file called name if it is what the removal rec was for: what others have
// stored since stays. Where it is not known what that was, what is not newer is removed, and kept
// beside.
func (v *Tree) removeOver(ctx context.Context, name string, x expectation, committed time.Time) error {
	for range maxRaces {
		e, err := v.remote.Stat(ctx, name)
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return v.checkRootOf(ctx, name, err)
		case err != nil:
			if remote.RefusesObject(err) {
				return nil
			}
			return err
		case e.Dir:
			v.names.Invalidate(name)
			return nil
		}
		mine := v.ours(x, e, committed)
		unknown := (x.base == cache.BaseUnknown || x.forgot) && !e.ModTime.After(committed)
		if !mine && !unknown {
			v.names.Invalidate(name)
			v.log.LogAttrs(ctx, slog.LevelWarn, "another node has stored a file while its removal waited here; it stays",
				slog.String("path", name), slog.String("version", e.Version), slog.Int64("size", e.Size), slog.Time("modified", e.ModTime))
			return nil
		}
		if !mine {
			if err := v.keepBeside(ctx, cache.Record{Kind: cache.Removed, Name: name, Committed: committed}, e); err != nil {
				return err
			}
		}
		err = remote.RemoveVersion(ctx, v.remote, name, e)
		if !errors.Is(err, remote.ErrChanged) {
			if errors.Is(err, remote.ErrNotExist) {
				return nil
			}
			return err
		}
	}
	return errContended
}

// checkRootOf returns nil if name is missing because it is not there, rather than its remote.
func (v *Tree) checkRootOf(ctx context.Context, name string, missing error) error {
	if err := v.checkRoot(ctx, missing); err != nil {
		return err
	}
	v.names.Invalidate(name)
	return nil
}

// clearTarget keeps what a pending rename would replace, if others have stored it since.
func (v *Tree) clearTarget(ctx context.Context, c *change, rec cache.Record) error {
	v.mu.Lock()
	x := c.over
	v.mu.Unlock()
	e, err := v.remote.Stat(ctx, rec.Name)
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir), err == nil && e.Dir:
		return nil
	case err != nil:
		return err
	}
	if v.ours(x, e, rec.Committed) {
		return nil
	}
	if e.Size == rec.Size && v.sameTime(e, rec.ModTime) {
		_, err := v.remote.Stat(ctx, rec.Source)
		if errors.Is(err, remote.ErrNotExist) { // an earlier request has renamed it
			return nil
		}
		if err != nil {
			return err
		}
	}
	return v.keepBeside(ctx, rec, e)
}

// ours reports whether e, which the remote has, is what it may have without another node.
func (v *Tree) ours(x expectation, e remote.Entry, committed time.Time) bool {
	if x.base == cache.BasePresent && x.version != "" && e.Version == x.version {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// A remote without versions tells others' files by their time alone.
	return slices.ContainsFunc(x.own, func(o *ownContent) bool { return v.hasOwn(e, o) }) ||
		x.base == cache.BasePresent && x.version == "" && e.Version == "" && !e.ModTime.After(committed)
}

// hasOwn reports whether e surely has the content o.
func (v *Tree) hasOwn(e remote.Entry, o *ownContent) bool {
	if o.version != "" && e.Version == o.version {
		return true
	}
	return e.Size == o.size && o.size >= 0 && v.finelyTimed(e) && (v.sameTime(e, o.modTime) || v.sameTime(e, o.sentTime))
}

// finelyTimed reports whether the time of e tells contents apart: no two are stored within such a
// time.
func (v *Tree) finelyTimed(e remote.Entry) bool {
	return v.caps.ModTime > 0 && v.caps.ModTime <= time.Millisecond && !e.ModTime.IsZero()
}

// sameTime reports whether e has the time t, as far as the remote keeps times.
func (v *Tree) sameTime(e remote.Entry, t time.Time) bool {
	return v.caps.ModTime == 0 || e.ModTime.Sub(t).Abs() < v.caps.ModTime
}
