package readahead

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"

	"ferry/breaker"
	"ferry/cache"
	"ferry/remote"
)

// openCached reads a file through its copy.
func (t *Tree) openCached(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	for range maxStale {
		r, err := t.tryCached(ctx, name, off, n)
		if err != errStale {
			return r, err
		}
	}
	return nil, errChanged(name)
}

// errStale means that opening a file should be retried: a shared request has found that the file
// has changed.
var errStale = errors.New("another request says that the file has changed")

func (t *Tree) tryCached(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	for {
		probe := t.probeOf(name) // first, as its file may exist before its request is a part of it
		if probe == nil {
			e, known, err := t.describe(ctx, name)
			if err != nil {
				return nil, err
			}
			if known {
				return t.openKnown(ctx, name, e, off, n, nil)
			}
			var mine bool
			if mine, probe = t.startProbe(name); mine {
				return t.openUnknown(ctx, name, off, n, probe)
			}
		}
		select {
		case <-probe.done:
		case <-ctx.Done():
			return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
		}
		if probe.known {
			return t.openKnown(ctx, name, probe.entry, off, n, nil)
		}
	}
}

// openUnknown reads an unknown file: the result of the first request describes it.
func (t *Tree) openUnknown(ctx context.Context, name string, off, n int64, a *probe) (io.ReadCloser, error) {
	defer t.endProbe(name, a)
	if e, known, err := t.describe(ctx, name); known || err != nil { // by an answer that arrived meanwhile
		if err != nil {
			return nil, err
		}
		a.entry, a.known = e, true
		return t.openKnown(ctx, name, e, off, n, nil)
	}
	first, err := t.sendProbe(ctx, name, off)
	if err != nil {
		return nil, err
	}
	a.entry, a.known = first.entry, true
	return t.openKnown(ctx, name, first.entry, off, n, first)
}

// openKnown reads the version e of a file, or a newer one that a response describes. first is the
// result of a request, or nil.
func (t *Tree) openKnown(ctx context.Context, name string, e remote.Entry, off, n int64, first *result) (io.ReadCloser, error) {
	for range maxStale {
		if e.Dir {
			first.drop()
			return nil, &fs.PathError{Op: "open", Path: name, Err: remote.ErrIsDir}
		}
		if e.Size < 0 || e.Version == "" && e.ModTime.IsZero() {
			first.drop()
			return t.direct.Open(ctx, name, off, n) // its versions cannot be distinguished
		}
		r, other, err := t.openVersion(ctx, name, e, off, n, first)
		if other == nil {
			return r, err
		}
		first, e = other, other.entry
	}
	first.drop()
	return nil, errChanged(name)
}

// maxStale is how many times in a row responses may describe another version before opening the
// file fails.
const maxStale = 5

// describe describes name, if possible without a request for content. If the file has no readers
// and no copy, no other request is worth while.
func (t *Tree) describe(ctx context.Context, name string) (e remote.Entry, known bool, err error) {
	if t.memory != nil {
		e, known = t.memory.Known(name)
	}
	if known && (e.Dir || e.Version != "" || !e.ModTime.IsZero()) {
		return e, true, nil
	}
	last, held := t.last(name)
	if !held {
		return e, false, nil
	}
	e, err = t.Remote.Stat(breaker.WithoutWait(ctx), name)
	switch {
	case err == nil:
		return e, true, nil
	case errors.Is(err, remote.ErrNotExist):
		t.dropCopy(name)
		return e, false, err
	case remote.Permanent(err) || ctx.Err() != nil:
		return e, false, err
	}
	t.warn("the remote does not answer; reading what is held on disk", name, err)
	return last, true, nil
}

// last describes the version of name that is being read, or that has a copy.
func (t *Tree) last(name string) (remote.Entry, bool) {
	t.mu.Lock()
	f := t.files[name]
	t.mu.Unlock()
	if f != nil {
		return f.entry, true
	}
	fp, held := t.opt.Store.Last(name)
	_, base := remote.Split(name)
	return remote.Entry{Name: base, Size: fp.Size, ModTime: fp.ModTime, Version: fp.Version}, held
}

// openVersion reads the version e of a file. first is the result of a request, or nil. If a request
// finds another version, its result is returned as other.
func (t *Tree) openVersion(ctx context.Context, name string, e remote.Entry, off, n int64, first *result) (io.ReadCloser, *result, error) {
	end := e.Size
	if n >= 0 && n < e.Size-off {
		end = off + n
	}
	if off >= end {
		first.drop()
		return emptyReader{e}, nil, nil
	}
	fp := t.fingerprint(ctx, name, e)
	f := t.join(name, e, fp)
	if !f.verifyCopy() {
		t.dropAllCopies(name)
		t.release(f)
		f = t.join(name, e, fp)
	}
	r := f.newReader(ctx, off, end)
	other, err := r.begin(ctx, first)
	if err != nil || other != nil {
		_ = r.Close() // never fails
		return nil, other, err
	}
	return r, nil, nil
}

// begin waits for the first byte, or for the response to a request for it, so that opening an
// unreadable file fails at once.
func (r *reader) begin(ctx context.Context, first *result) (other *result, err error) {
	f := r.file
	f.mu.Lock()
	if f.held(r.pos) > 0 {
		f.tree.hits.Add(1)
	} else {
		f.tree.misses.Add(1)
	}
	if available, err := r.await(); available || err != nil {
		f.mu.Unlock()
		first.drop()
		return nil, err
	}
	n := 1
	off, _ := f.span(r.first)
	if r.pos > off && f.flying[r.first+1] == nil && r.first+1 < r.blocks && f.heldTo(r.first+1) == r.first+1 {
		n = 2
	}
	if first != nil {
		n = min(n, first.blocks)
	}
	askCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if first != nil {
		cancel = first.cancel
	}
	q := r.startFetch(r.first, n, cancel)
	f.mu.Unlock()
	if first == nil {
		first, err = f.tree.request(askCtx, cancel, f.name, off, n)
	}
	if err == nil && !remote.SameContent(first.entry, f.entry) {
		other, err = first, errChanged(f.name)
	}
	if err != nil {
		r.handOver(q, other)
		r.done(q, err)
	}
	switch {
	case other != nil:
		return other, nil
	case errors.Is(err, remote.ErrNotExist):
		f.tree.markOutdated(f)
		f.tree.dropCopy(f.name)
	case err != nil && ctx.Err() != nil:
		err = &fs.PathError{Op: "open", Path: f.name, Err: context.Cause(ctx)}
	}
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.startFetcher(q, first.body)
	return nil, nil
}

// await waits for the first byte, and reports whether it is available; false means that it was not
// requested.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) await() (available bool, err error) {
	f := r.file
	off, _ := f.span(r.first)
	for r.err == nil {
		if f.held(r.pos) > 0 {
			if r.opened = f.copy.State(); r.opened.Verified {
				r.entry.Digest = ""
			}
			return true, nil
		}
		b := f.flying[r.first]
		if b == nil {
			return false, nil
		}
		r.hold(r.first, b)
		for int64(b.n) <= r.pos-off && b.err == nil && r.err == nil {
			f.await(r.first)
		}
		if int64(b.n) > r.pos-off {
			return true, nil
		}
		r.releaseBlock(r.first)
		switch {
		case errors.Is(b.err, remote.ErrChanged):
			return false, errStale
		case b.err != nil && b.err != errUnwanted:
			return false, b.err
		}
	}
	return false, r.err
}

// handOver keeps the request of q alive if it becomes the result other.
func (r *reader) handOver(q *fetch, other *result) {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	if other != nil {
		q.cancel = func(error) {}
	}
}

// fingerprint returns the fingerprint of the version e of name.
func (t *Tree) fingerprint(ctx context.Context, name string, e remote.Entry) cache.Fingerprint {
	p := cache.Fingerprint{Version: e.Version, Size: e.Size, ModTime: e.ModTime}
	if e.Version != "" || t.opt.FastFingerprint || t.noHash.Load() {
		return p
	}
	sum, err := remote.Hash(breaker.WithoutWait(ctx), t.Remote, name, "md5")
	switch {
	case errors.Is(err, remote.ErrUnsupported):
		t.noHash.Store(true)
	case err == nil:
		p.Hash = "md5:" + hex.EncodeToString(sum)
	}
	return p
}

// An emptyReader reads nothing.
type emptyReader struct{ entry remote.Entry }

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

func (emptyReader) Close() error { return nil }

// Described implements remote.Described.
func (r emptyReader) Described() (remote.Entry, bool) { return r.entry, true }

// FileSize returns the size of the file, for who shows how much of it was read.
func (r emptyReader) FileSize() int64 { return r.entry.Size }
