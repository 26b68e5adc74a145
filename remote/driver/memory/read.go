package memory

import (
	"bytes"
	"context"
	"io"
	"iter"

	"ferry/remote"
)

// page is how many entries List looks up at a time.
const page = 256

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := check(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	n, err := r.lookup(name)
	if err != nil {
		return remote.Entry{}, remote.Fail("stat", name, err)
	}
	_, base := remote.Split(name)
	return n.entry(base), nil
}

// List implements remote.Remote. It goes through the names that existed when it began and leaves
// out those that have gone since; parts come last.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		n, names, parts, err := r.listing(ctx, dir)
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		var entries []remote.Entry
		for len(names) > 0 {
			if ctx.Err() != nil {
				yield(remote.Entry{}, remote.Fail("list", dir, context.Cause(ctx)))
				return
			}
			k := min(page, len(names))
			entries = r.appendEntries(entries[:0], n, names[:k])
			names = names[k:]
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
		for _, e := range parts {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// listing returns the directory called dir, the names in it, and the parts in it.
func (r *Remote) listing(ctx context.Context, dir string) (*node, []string, []remote.Entry, error) {
	if err := check(ctx, "list", dir); err != nil {
		return nil, nil, nil, err
	}
	r.mu.Lock() // not RLock: names may have to put them in order
	defer r.mu.Unlock()
	n, err := r.lookup(dir)
	if err == nil && !n.isDir() {
		err = remote.ErrNotDir
	}
	if err != nil {
		return nil, nil, nil, remote.Fail("list", dir, err)
	}
	var parts []remote.Entry
	for key, p := range n.parts {
		parts = append(parts, p.entry(key))
	}
	return n, n.names(), parts, nil
}

// appendEntries appends the entries of dir that are called names and still exist.
func (r *Remote) appendEntries(entries []remote.Entry, dir *node, names []string) []remote.Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, name := range names {
		if n := dir.entries[name]; n != nil {
			entries = append(entries, n.entry(name))
		}
	}
	return entries
}

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := check(ctx, "open", name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, remote.Fail("open", name, remote.ErrInvalid)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	file, err := r.lookup(name)
	if err == nil && file.isDir() {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	_, base := remote.Split(name)
	return newReader(ctx, file.data, off, n, file.entry(base)), nil
}

func newReader(ctx context.Context, data []byte, off, n int64, e remote.Entry) *reader {
	data = data[min(off, int64(len(data))):]
	if n >= 0 {
		data = data[:min(n, int64(len(data)))]
	}
	return &reader{remote.ContextReader(ctx, bytes.NewReader(data)), e}
}

// A reader is remote.Described.
type reader struct {
	io.Reader
	entry remote.Entry // as it was when it was opened
}

func (r *reader) Close() error { return nil }

func (r *reader) Described() (remote.Entry, bool) { return r.entry, true }
