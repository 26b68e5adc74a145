package vfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// overlay is a remote together with what waits to be carried out on it: whoever asks the overlay
// sees what the remote will have when nothing waits any more. It can stage everything, as it keeps
// what is written on the local disk.
//
// What waits is changed here at once and survives as a record of the cache. What does not wait is
// changed on the remote, before the call returns. Where such a change concerns something that
// waits, that is sent first.
//
// It has no Unwrap: for package remote it is a driver.
type overlay struct {
	// dependencies
	remote remote.Remote
	stager remote.Stager  // of the remote; nil where it cannot stage
	names  *dircache.Tree // of the remote
	store  *cache.Store
	log    *slog.Logger
	open   openFunc // reads the remote's files

	// constant
	info      remote.Info // its own
	caps      remote.Caps // the remote's
	mode      CacheMode
	ack       WriteAck
	writeBack time.Duration
	transfers int
	largest   int64 // what is longer than that does not fit the cache; 0 = everything fits

	doubts  *doubts
	uploads *uploadNotes     // in parts
	paths   pathLocks        // of changes of the tree; taken before mu
	emptied pathLocks        // of directories that are to stay when they are empty; taken after paths
	breaker *breaker.Breaker // whether the remote answers
	dirs    seenDirs         // directories that are known to have been there

	mu           sync.Mutex
	pending      *pending          // guarded by mu
	leaving      map[string]int    // guarded by mu; what is leaving a directory, by its key
	recent       recent            // guarded by mu
	queue        queue             // guarded by mu
	running      int               // guarded by mu; attempts under way
	runningLarge int               // guarded by mu; those of them that send large files
	done         uint64            // guarded by mu; changes of the remote so far
	causes       causes            // guarded by mu
	late         []*asked          // guarded by mu; calls that go on behind their records
	refused      map[string]*claim // guarded by mu; those that are refused and not dead, by the ID of the record
	wake         chan struct{}     // holds a token when Run has something to look at
}

// openFunc is Open of a remote.
type openFunc func(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)

// newOverlay puts what o.Cache keeps over a remote, which is remembered by names. open reads its
// files.
func newOverlay(names *dircache.Tree, b *breaker.Breaker, open openFunc, o Options) *overlay {
	log := logOf(o)
	uploads := newUploadNotes(o.Cache.Store, log)
	r := noted{remote.Forward{Remote: names.Direct()}, uploads}
	v := &overlay{
		remote: r, uploads: uploads, names: names, breaker: b, store: o.Cache.Store, log: log, open: open,
		info: r.Info(), caps: r.Info().Caps,
		mode: o.Cache.Mode, ack: o.Cache.Ack, writeBack: o.Cache.WriteBack, transfers: max(o.Cache.Transfers, 1),
		wake: make(chan struct{}, 1), causes: causes{}, refused: map[string]*claim{}, leaving: map[string]int{},
	}
	if s, ok := remote.AsStager(r); ok {
		v.stager = s
	}
	v.info.Caps.Live = true
	v.info.Caps.NoParts = v.mode == CacheMinimal && !v.remoteKeepsParts()
	if limit := v.store.Stats().Limit; limit > 0 {
		v.largest = max(limit-spoolStep, limit/2)
	}
	v.pending = newPending(v.caps.CaseInsensitive)
	v.doubts = newDoubts(v.store, v.pending.keyOf, v.log)
	for _, rec := range v.store.Pending() {
		c := v.recoveredClaim(rec)
		if source := v.pending.own(rec.Source); rec.Kind == cache.Moved && source != nil && source.rec.Kind == cache.Moved {
			c.from = source
		}
		v.pending.add(c)
		v.queue.push(c)
	}
	v.recoverRefused()
	return v
}

// remoteKeepsParts reports whether the remote itself keeps unfinished uploads.
func (v *overlay) remoteKeepsParts() bool { return v.stager != nil && !v.caps.NoParts }

// Info implements remote.Remote.
func (v *overlay) Info() remote.Info { return v.info }

// Close does nothing: the remote and the cache belong to who made them.
func (v *overlay) Close() error { return nil }

// CheckName implements remote.NameChecker.
func (v *overlay) CheckName(name string) error { return remote.CheckName(v.remote, name) }

// check is what every operation begins with.
func (v *overlay) check(ctx context.Context, op, name string) error {
	switch {
	case !remote.ValidPath(name):
		return &fs.PathError{Op: op, Path: name, Err: remote.ErrInvalid}
	case ctx.Err() != nil:
		return &fs.PathError{Op: op, Path: name, Err: context.Cause(ctx)}
	}
	return nil
}

// pathError wraps err as every error of a remote is, unless it is nil or so already.
func pathError(op, name string, err error) error {
	var wrapped *fs.PathError
	if err == nil || errors.As(err, &wrapped) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// look returns what name is as far as what waits tells.
func (v *overlay) look(name string) (standing, *claim) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pending.look(name)
}

// Stat implements remote.Remote.
func (v *overlay) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := v.check(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	e, err := v.stat(ctx, name)
	return e, pathError("stat", name, err)
}

func (v *overlay) stat(ctx context.Context, name string) (remote.Entry, error) {
	v.mu.Lock()
	st, c := v.pending.look(name)
	var e remote.Entry
	if c != nil || st == isDir {
		e = v.describe(name, st, c)
	}
	v.mu.Unlock()
	switch st {
	case isFile, isMoved:
		return e, nil
	case isGone:
		return remote.Entry{}, remote.ErrNotExist
	case inFile:
		return remote.Entry{}, remote.ErrNotDir
	case isDir:
		if c != nil {
			return e, nil
		}
		there, err := v.names.StatSoon(ctx, name)
		if err == nil && there.Dir || ctx.Err() != nil || name == "." && breaker.IsAnswer(err) {
			return there, err
		}
		v.inVain(ctx, name, err)
		return e, nil // it will be there when what waits in it is
	}
	return v.names.Stat(ctx, name)
}

// describe returns the entry of a file or directory that waits. Where c is nil it is a directory
// that something waits in.
// LOCKS_REQUIRED(v.mu)
func (v *overlay) describe(name string, st standing, c *claim) remote.Entry {
	_, base := remote.Split(name)
	e := remote.Entry{Name: base, Dir: st == isDir}
	if v.caps.Modes {
		e.Mode = 0o644
		if e.Dir {
			e.Mode = 0o755
		}
	}
	if c == nil {
		return e
	}
	e.ModTime = v.rounded(c.rec.ModTime)
	if !e.Dir {
		e.Size = c.rec.Size
		if c.mode != 0 {
			e.Mode = c.mode
		}
	}
	return e
}

// rounded is t as the remote will keep it.
func (v *overlay) rounded(t time.Time) time.Time {
	if v.caps.ModTime > 0 {
		return t.Truncate(v.caps.ModTime)
	}
	return t
}

// Open implements remote.Remote. What waits is read from the local disk.
func (v *overlay) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := v.check(ctx, "open", name); err != nil {
		return nil, err
	}
	for {
		st, c := v.look(name)
		var err error
		switch st {
		case elsewhere:
			return v.open(ctx, name, off, n)
		case isDir:
			err = remote.ErrIsDir
		case isGone:
			err = remote.ErrNotExist
		case inFile:
			err = remote.ErrNotDir
		case isFile:
			var r io.ReadCloser
			if r, err = v.openWaiting(ctx, c, off, n); err == nil {
				return r, nil
			}
			if errors.Is(err, fs.ErrNotExist) && v.gone(ctx, c) {
				continue
			}
		case isMoved:
			var r io.ReadCloser
			if r, err = v.openMoved(ctx, c, off, n); err == nil {
				return r, nil
			}
			if errors.Is(err, fs.ErrNotExist) && v.gone(ctx, c) {
				continue
			}
		}
		return nil, pathError("open", name, err)
	}
}

// gone waits until c, whose content is gone, does not wait any more, and reports whether it came to
// that.
func (v *overlay) gone(ctx context.Context, c *claim) bool {
	v.mu.Lock()
	leaving := c.ending || c.dead || c.held != nil
	v.mu.Unlock()
	if !leaving {
		return false
	}
	select {
	case <-c.gone:
		return true
	case <-ctx.Done():
		return false
	}
}
