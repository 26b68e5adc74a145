package writeback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"ferry/cache"
	"ferry/remote"
)

// apply does on the remote what c wants. What it has done of it is not done again by the next
// attempt.
func (v *Tree) apply(ctx context.Context, c *change) error {
	v.mu.Lock()
	rec, applied := c.rec, c.isApplied
	superseded := applied && v.pending.newest(rec.Name) != c
	c.released = c.released || superseded
	v.mu.Unlock()
	switch {
	case superseded: // what is newer is looked at, if need be
		return nil
	case applied: // for the last time when it was released
		return v.recheck(ctx, c, rec)
	}
	if err := v.applyOwn(ctx, c, rec); err != nil {
		return err
	}
	for _, name := range rec.Removes {
		if name == rec.Source || !v.stillRemoves(c, name) {
			continue
		}
		if err := v.removeOne(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// applyOwn does what c wants of its own name.
func (v *Tree) applyOwn(ctx context.Context, c *change, rec cache.Record) error {
	switch rec.Kind {
	case cache.File:
		return v.sendFile(ctx, c, rec)
	case cache.Removed:
		if rec.Base == cache.BaseAbsent {
			return nil
		}
		return v.removeOne(ctx, rec.Name)
	case cache.Moved:
		return v.moveOne(ctx, c, rec)
	}
	// A directory is not looked at again.
	if err := v.doubts.await(ctx, rec.Name); err != nil {
		return err
	}
	if rec.Kind == cache.RemovedDir {
		return v.removeDir(ctx, rec.Name)
	}
	return v.makeDir(ctx, rec.Name)
}

// stillRemoves reports whether c is the newest change of name. What a newer one wants will be done
// after it.
func (v *Tree) stillRemoves(c *change, name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	newest := v.pending.newest(name)
	return newest == c || newest == nil
}

// sendFile stores the content of c.
func (v *Tree) sendFile(ctx context.Context, c *change, rec cache.Record) error {
	if c.sent {
		return nil
	}
	e, there := v.lookBefore(ctx, c, rec)
	if !there {
		var err error
		e, err = v.putContent(ctx, c, rec)
		if errors.Is(err, remote.ErrNotExist) && !v.caps.ImplicitDirs && v.makeParents(ctx, rec.Name) {
			e, err = v.putContent(ctx, c, rec)
		}
		if err != nil {
			return err
		}
	} else {
		v.names.Stored(rec.Name, e)
	}
	v.dirs.above(v.pending.keyOf(rec.Name))
	v.mu.Lock()
	defer v.mu.Unlock()
	c.sent, c.sentTime, c.stored = true, rec.ModTime, e
	if c.factsOf != "" {
		c.factsOf = rec.Name
	}
	return nil
}

// putContent is Put of what waits. What an earlier process has left may have been sent: then the
// file that it was renamed from is gone, and its facts are those of its own name.
func (v *Tree) putContent(ctx context.Context, c *change, rec cache.Record) (remote.Entry, error) {
	v.mu.Lock()
	o := remote.PutOptions{Size: rec.Size, ModTime: rec.ModTime, FactsOf: c.factsOf}
	v.mu.Unlock()
	if rec.Recovered && o.FactsOf != "" && o.FactsOf != rec.Name {
		if _, err := v.remote.Stat(ctx, o.FactsOf); errors.Is(err, remote.ErrNotExist) {
			o.FactsOf = rec.Name
		}
	}
	content, err := v.store.OpenContent(rec.ID)
	if err != nil {
		return remote.Entry{}, &contentError{err}
	}
	defer content.Close()
	body := &contentReader{SectionReader: content.Section()}
	e, err := putSafely(ctx, v.remote, rec.Name, body, o)
	return e, body.failed(err)
}

// contentReader reads what waits and notes when that fails, or ends too early.
type contentReader struct {
	*io.SectionReader
	at  atomic.Int64 // how far it was read
	err error
}

// Read implements io.Reader.
func (r *contentReader) Read(p []byte) (int, error) {
	n, err := r.SectionReader.Read(p)
	if at := r.at.Add(int64(n)); err == io.EOF && at < r.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// contentError means that what waits could not be read on the local disk.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.prefix() + e.err.Error() }

func (*contentError) prefix() string { return "the content cannot be read from the cache: " }

func (e *contentError) Unwrap() error { return e.err }

// damaged reports whether the content is gone or cut. A disk that cannot be read, or too few
// descriptors, may be mended.
func (e *contentError) damaged() bool {
	return errors.Is(e.err, fs.ErrNotExist) || errors.Is(e.err, io.ErrUnexpectedEOF)
}

// sendTime gives a file that has been sent the time that it was given meanwhile. A remote that
// cannot set it, or not that time, leaves the file as it was sent.
func (v *Tree) sendTime(ctx context.Context, c *change) error {
	v.mu.Lock()
	t := c.rec.ModTime
	v.mu.Unlock()
	err := remote.SetModTime(ctx, v.remote, c.rec.Name, t)
	if errors.Is(err, remote.ErrUnsupported) || errors.Is(err, remote.ErrInvalid) {
		err = nil
	}
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.sentTime = t
	c.stored.ModTime, c.stored.Version = t, "" // some remotes make it another version
	return nil
}

// lookBefore looks at what is about to be replaced, where that is of interest. It reports whether
// that has the content of rec already: it was sent, and the process ended before that was noted.
// Only a checksum can tell. Another file that somebody else has stored since is logged.
func (v *Tree) lookBefore(ctx context.Context, c *change, rec cache.Record) (remote.Entry, bool) {
	if c.tries > 0 || c.isApplied || !rec.Recovered && rec.BaseVersion == "" {
		return remote.Entry{}, false
	}
	e, err := v.remote.Stat(ctx, rec.Name)
	v.logProbeFailure(ctx, rec.Name, err)
	if err != nil || e.Dir || rec.BaseVersion != "" && e.Version == rec.BaseVersion {
		return e, false
	}
	sameSize := e.Size == rec.Size && v.sameTime(e, rec)
	if rec.Recovered && sameSize {
		if same, known := v.hasContent(ctx, rec, e); same {
			return e, true
		} else if !known {
			return e, false // it is probably its own
		}
	}
	v.warnOfOverwrite(ctx, rec, e)
	return e, false
}

// sameTime reports whether e has the time of rec, as far as the remote keeps times.
func (v *Tree) sameTime(e remote.Entry, rec cache.Record) bool {
	return v.caps.ModTime == 0 || e.ModTime.Sub(rec.ModTime).Abs() < v.caps.ModTime
}

// warnOfOverwrite logs which version somebody else has stored since, that is about to be replaced.
func (v *Tree) warnOfOverwrite(ctx context.Context, rec cache.Record, e remote.Entry) {
	if rec.BaseVersion == "" || e.Version == "" {
		return
	}
	v.log.LogAttrs(ctx, slog.LevelWarn, "a file was changed on the remote while a newer one waited here; it is replaced",
		slog.String("path", rec.Name), slog.String("version", e.Version), slog.Int64("size", e.Size), slog.Time("modified", e.ModTime))
}

// makeParents makes the directories above name that are missing, and reports whether it came to
// that.
func (v *Tree) makeParents(ctx context.Context, name string) bool {
	dir, _ := remote.Split(name)
	if dir == "." {
		return false
	}
	err := v.remote.Mkdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && v.makeParents(ctx, dir) {
		err = v.remote.Mkdir(ctx, dir)
	}
	if err != nil && !errors.Is(err, remote.ErrExist) {
		return false
	}
	return true
}

// makeDir makes a directory. One that is there already is what was wanted.
func (v *Tree) makeDir(ctx context.Context, dir string) error {
	err := v.remote.Mkdir(ctx, dir)
	if errors.Is(err, remote.ErrNotExist) && v.makeParents(ctx, dir) {
		err = v.remote.Mkdir(ctx, dir)
	}
	if errors.Is(err, remote.ErrExist) {
		e, statErr := v.remote.Stat(ctx, dir)
		if statErr != nil {
			return statErr
		}
		if e.Dir {
			err = nil
		}
	}
	return err
}

// removeOne removes a file. One that is not there is what was wanted; what has become a directory,
// or cannot be called so, is not the file that was to be removed.
func (v *Tree) removeOne(ctx context.Context, name string) error {
	err := v.remote.Remove(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		err = v.rootThere(ctx, err)
	}
	if err == nil {
		return nil
	}
	v.names.Invalidate(name)
	if remote.RefusesObject(err) {
		return nil
	}
	return err
}

// rootThere makes sure that missing, which says that there is no file of some name, does not come
// from a remote whose root is not there, such as a bucket or a disk that is to come: then it says
// nothing, and is returned.
func (v *Tree) rootThere(ctx context.Context, missing error) error {
	if _, err := v.remote.Stat(ctx, "."); err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// putSafely is Put, except that a panic becomes an error with its stack: in a goroutine of its own
// it would end the process, and with it everybody's transfers.
func putSafely(ctx context.Context, r remote.Remote, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in Put: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Put(ctx, name, body, o)
}
