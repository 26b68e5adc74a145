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

// apply applies c to the remote. Steps that succeeded are not repeated by the next attempt.
func (v *Tree) apply(ctx context.Context, c *change) error {
	v.mu.Lock()
	rec, applied := c.rec, c.isApplied
	superseded := applied && v.pending.newest(rec.Name) != c
	c.released = c.released || superseded
	v.mu.Unlock()
	switch {
	case superseded: // the newer change is rechecked, if necessary
		return nil
	case applied: // one last time if it was released
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

// applyOwn applies c to its own name.
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
	// Directories are not rechecked.
	if err := v.doubts.await(ctx, rec.Name); err != nil {
		return err
	}
	if rec.Kind == cache.RemovedDir {
		return v.removeDir(ctx, rec.Name)
	}
	return v.makeDir(ctx, rec.Name)
}

// stillRemoves reports whether c is the newest change of name. A newer one is applied after it.
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
	e, there := v.checkBeforeSend(ctx, c, rec)
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

// putContent is Put of the pending content. A change of an earlier process may have been sent
// already: then the file that it was renamed from is gone, and its facts are those of its own name.
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

// A contentReader reads pending content, and records whether that fails or ends too early.
type contentReader struct {
	*io.SectionReader
	at  atomic.Int64 // bytes read so far
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

// A contentError means that pending content could not be read from the local disk.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.prefix() + e.err.Error() }

func (*contentError) prefix() string { return "the content cannot be read from the cache: " }

func (e *contentError) Unwrap() error { return e.err }

// damaged reports whether the content is missing or truncated. An unreadable disk, or too few
// descriptors, can be repaired.
func (e *contentError) damaged() bool {
	return errors.Is(e.err, fs.ErrNotExist) || errors.Is(e.err, io.ErrUnexpectedEOF)
}

// sendTime sets the time of a sent file if it was changed meanwhile. If the remote cannot set it,
// the file stays as it was sent.
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
	c.stored.ModTime, c.stored.Version = t, "" // on some remotes this is another version
	return nil
}

// checkBeforeSend queries the file that is about to be replaced, if that matters. It reports
// whether it already has the content of rec, as when the process ended after sending it and before
// recording that. Only a checksum can prove this. A file that others stored meanwhile is logged.
func (v *Tree) checkBeforeSend(ctx context.Context, c *change, rec cache.Record) (remote.Entry, bool) {
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
			return e, false // probably its own
		}
	}
	v.warnOfOverwrite(ctx, rec, e)
	return e, false
}

// sameTime reports whether e has the time of rec, as far as the remote keeps times.
func (v *Tree) sameTime(e remote.Entry, rec cache.Record) bool {
	return v.caps.ModTime == 0 || e.ModTime.Sub(rec.ModTime).Abs() < v.caps.ModTime
}

// warnOfOverwrite logs the version, stored by others, that is about to be replaced.
func (v *Tree) warnOfOverwrite(ctx context.Context, rec cache.Record, e remote.Entry) {
	if rec.BaseVersion == "" || e.Version == "" {
		return
	}
	v.log.LogAttrs(ctx, slog.LevelWarn, "a file was changed on the remote while a newer one waited here; it is replaced",
		slog.String("path", rec.Name), slog.String("version", e.Version), slog.Int64("size", e.Size), slog.Time("modified", e.ModTime))
}

// makeParents creates the missing directories above name, and reports whether it created any.
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

// makeDir creates a directory. An existing one is a success.
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

// removeOne removes a file. A missing file is a success; a directory, or a name that the remote
// cannot hold, is not the file to remove, and counts as missing.
func (v *Tree) removeOne(ctx context.Context, name string) error {
	err := v.remote.Remove(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		err = v.checkRoot(ctx, err)
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

// checkRoot checks whether missing, an ErrNotExist, only comes from a remote whose root is missing,
// such as a bucket to be created or a disk to be mounted: then it proves nothing, and is returned.
func (v *Tree) checkRoot(ctx context.Context, missing error) error {
	if _, err := v.remote.Stat(ctx, "."); err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// putSafely is Put, except that a panic becomes an error with its stack: in a goroutine of its own
// it would end the process, and with it all transfers.
func putSafely(ctx context.Context, r remote.Remote, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in Put: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Put(ctx, name, body, o)
}
