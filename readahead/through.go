package readahead

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"

	"ferry/breaker"
	"ferry/cache"
	"ferry/remote"
)

// openThrough reads a file through its copy.
func (t *Tree) openThrough(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	for range maxRetold {
		r, err := t.tryThrough(ctx, name, off, n)
		if err != errRetold {
			return r, err
		}
	}
	return nil, errChanged(name)
}

// errRetold is why another attempt to open a file is worth it: a request that it shared says that
// it has changed.
var errRetold = errors.New("another request says that the file has changed")

func (t *Tree) tryThrough(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	for {
		asked := t.asksFor(name) // its file may be there, and its request not yet a part of that
		if asked == nil {
			e, known, err := t.describe(ctx, name)
			if err != nil {
				return nil, err
			}
			if known {
				return t.openKnown(ctx, name, e, off, n, nil)
			}
			var mine bool
			if mine, asked = t.asking(name); mine {
				return t.openUnknown(ctx, name, off, n, asked)
			}
		}
		select {
		case <-asked.done:
		case <-ctx.Done():
			return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
		}
		if asked.known {
			return t.openKnown(ctx, name, asked.entry, off, n, nil)
		}
	}
}

// openUnknown reads a file of which nothing is known: the answer to the first request says what it
// is.
func (t *Tree) openUnknown(ctx context.Context, name string, off, n int64, a *asked) (io.ReadCloser, error) {
	defer t.answered(name, a)
	if e, known, err := t.describe(ctx, name); known || err != nil { // by an answer that came meanwhile
		if err != nil {
			return nil, err
		}
		a.entry, a.known = e, true
		return t.openKnown(ctx, name, e, off, n, nil)
	}
	first, err := t.ask(ctx, name, off)
	if err != nil {
		return nil, err
	}
	a.entry, a.known = first.entry, true
	return t.openKnown(ctx, name, first.entry, off, n, first)
}

// openKnown reads what e describes, or what an answer says that it has become since. first is the
// answer to a request, if there has been one.
func (t *Tree) openKnown(ctx context.Context, name string, e remote.Entry, off, n int64, first *answer) (io.ReadCloser, error) {
	for range maxRetold {
		if e.Dir {
			first.drop()
			return nil, &fs.PathError{Op: "open", Path: name, Err: remote.ErrIsDir}
		}
		if e.Size < 0 || e.Version == "" && e.ModTime.IsZero() {
			first.drop()
			return t.direct.Open(ctx, name, off, n) // there is no telling its versions apart
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

// maxRetold is how often a file may turn out to be another version than the last answer said before
// it counts as changing.
const maxRetold = 5

// describe returns what name is, as far as it is known without asking for content. Where nobody
// reads the file and nothing of it is on disk, it is not worth asking for anything else.
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
		t.forget(name)
		return e, false, err
	case remote.Permanent(err) || ctx.Err() != nil:
		return e, false, err
	}
	t.warn("the remote does not answer; reading what is held on disk", name, err)
	return last, true, nil
}

// last describes the version of name that is being read, or of which something is held.
func (t *Tree) last(name string) (remote.Entry, bool) {
	t.mu.Lock()
	f := t.files[name]
	t.mu.Unlock()
	if f != nil {
		return f.entry, true
	}
	print, held := t.opt.Store.Last(name)
	_, base := remote.Split(name)
	return remote.Entry{Name: base, Size: print.Size, ModTime: print.ModTime, Version: print.Version}, held
}

// openVersion reads the version e of a file, of which first is the answer to a request, if there
// has been one. Where a request finds another version, its answer is returned.
func (t *Tree) openVersion(ctx context.Context, name string, e remote.Entry, off, n int64, first *answer) (io.ReadCloser, *answer, error) {
	end := e.Size
	if n >= 0 && n < e.Size-off {
		end = off + n
	}
	if off >= end {
		first.drop()
		return emptyReader{e}, nil, nil
	}
	print := t.fingerprint(ctx, name, e)
	f := t.join(name, e, print)
	if !f.sound() {
		t.forgetAll(name)
		t.release(f)
		f = t.join(name, e, print)
	}
	r := f.newReader(ctx, off, end)
	other, err := r.begin(ctx, first)
	if err != nil || other != nil {
		_ = r.Close() // never fails
		return nil, other, err
	}
	return r, nil, nil
}

// begin waits for the first byte of what is there or under way, else for the answer to a request
// for it, so that a file that cannot be read is refused at once.
func (r *reader) begin(ctx context.Context, first *answer) (other *answer, err error) {
	f := r.file
	f.mu.Lock()
	if here, err := r.await(); here || err != nil {
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
	q := r.ask(r.first, n, cancel)
	f.mu.Unlock()
	if first == nil {
		first, err = f.tree.request(askCtx, cancel, f.name, off, n)
	}
	if err == nil && !remote.SameContent(first.entry, f.entry) {
		other, err = first, errChanged(f.name)
	}
	if err != nil {
		r.disown(q, other)
		r.done(q, err)
	}
	switch {
	case other != nil:
		return other, nil
	case errors.Is(err, remote.ErrNotExist):
		f.tree.outdated(f)
		f.tree.forget(f.name)
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

// await waits for the first byte, and reports whether it is there; else nobody has asked for it.
// LOCKS_REQUIRED(r.file.mu)
func (r *reader) await() (here bool, err error) {
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
			f.changed.Wait()
		}
		if int64(b.n) > r.pos-off {
			return true, nil
		}
		r.letGo(r.first)
		switch {
		case errors.Is(b.err, remote.ErrChanged):
			return false, errRetold
		case b.err != nil && b.err != errUnwanted:
			return false, b.err
		}
	}
	return false, r.err
}

// disown lets the request of q live on when it is the answer to another one.
func (r *reader) disown(q *fetch, other *answer) {
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	if other != nil {
		q.cancel = func(error) {}
	}
}

// fingerprint tells the version e of name from others.
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

// join returns the version e of a file, to be used and released.
func (t *Tree) join(name string, e remote.Entry, print cache.Fingerprint) *file {
	t.mu.Lock()
	f := t.files[name]
	if f == nil || !f.print.Equal(print) {
		f = t.newFile(name, e, 0)
		f.print = print
		t.files[name] = f
		t.all[f] = struct{}{}
	}
	f.users++
	t.mu.Unlock()
	f.ready.Do(func() {
		c, err := t.opt.Store.Copy(name, print)
		if err != nil {
			t.warn("the disk cache fails; reading without it", name, err)
			return
		}
		f.copy = c
	})
	return f
}

// hold makes the caller a user of f, who is one already.
func (t *Tree) hold(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.users++
}

// release ends the use of f.
func (t *Tree) release(f *file) {
	t.mu.Lock()
	f.users--
	last := f.users == 0
	if last {
		delete(t.all, f)
	}
	if last && t.files[f.name] == f {
		delete(t.files, f.name)
	}
	t.mu.Unlock()
	if last && f.copy != nil {
		if err := f.copy.Close(); err != nil {
			t.warn("the disk cache fails", f.name, err)
		}
	}
}

// outdated notes that f is not what its name stands for any more.
func (t *Tree) outdated(f *file) {
	t.mu.Lock()
	if t.files[f.name] == f {
		delete(t.files, f.name)
	}
	t.mu.Unlock()
	if t.memory != nil {
		t.memory.Invalidate(f.name)
	}
}

// forgetAll drops the copy of name, of whatever version, also for those who open it from now on:
// what came was not what the remote has.
func (t *Tree) forgetAll(name string) {
	if t.opt.Store == nil {
		return
	}
	t.mu.Lock()
	delete(t.files, name)
	t.mu.Unlock()
	t.forget(name)
}

// forget drops the copy of name, of whatever version.
func (t *Tree) forget(name string) {
	if err := t.opt.Store.Forget(name); err != nil {
		t.warn("a copy cannot be removed from the disk cache", name, err)
	}
}

func (t *Tree) warn(message, name string, err error) {
	t.opt.Log.LogAttrs(context.Background(), slog.LevelWarn, message, slog.String("path", name), slog.Any("error", err))
}

// emptyReader reads nothing.
type emptyReader struct{ entry remote.Entry }

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

func (emptyReader) Close() error { return nil }

// Described implements remote.Described.
func (r emptyReader) Described() (remote.Entry, bool) { return r.entry, true }
