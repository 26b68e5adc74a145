package objectstest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// A Flat is an object store in memory. Its pages are short, and some are empty.
type Flat struct {
	mu      sync.Mutex
	buckets map[string]map[string]object // guarded by mu
	version int                          // guarded by mu
	pages   int                          // guarded by mu; how many were asked for
}

type object struct {
	objects.Object
	content []byte
}

// NewFlat returns a store of empty buckets.
func NewFlat(buckets ...string) *Flat {
	f := &Flat{buckets: map[string]map[string]object{}}
	for _, b := range buckets {
		f.buckets[b] = map[string]object{}
	}
	return f
}

// Pages returns how many pages were asked for.
func (f *Flat) Pages() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pages
}

// Contents returns the contents of a bucket by key.
func (f *Flat) Contents(bucket string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	contents := map[string]string{}
	for key, o := range f.buckets[bucket] {
		contents[key] = string(o.content)
	}
	return contents
}

// Set stores an object by itself, as another program would.
func (f *Flat) Set(bucket, name, content string, modTime time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(bucket, name, content, modTime)
}

// put returns the version.
// LOCKS_REQUIRED(f.mu)
func (f *Flat) put(bucket, name, content string, modTime time.Time) string {
	f.version++
	version := strconv.Itoa(f.version)
	f.buckets[bucket][name] = object{objects.Object{
		Name: name, Size: int64(len(content)), ModTime: modTime, Version: version,
	}, []byte(content)}
	return version
}

// SetDir stores an object that stands for a directory.
func (f *Flat) SetDir(bucket, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buckets[bucket][name] = object{Object: objects.Object{Name: name, Dir: true}}
}

// Keys returns the keys of a bucket, sorted.
func (f *Flat) Keys(bucket string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.buckets[bucket]))
}

func (f *Flat) get(ctx context.Context, k objects.Key) (object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.buckets[k.Bucket][k.Name]
	if !ok {
		return object{}, remote.ErrNotExist
	}
	return o, ctx.Err()
}

// Head implements objects.Store.
func (f *Flat) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	o, err := f.get(ctx, k)
	return o.Object, err
}

// Page implements objects.Pager.
func (f *Flat) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pages++
	bucket, ok := f.buckets[k.Bucket]
	if !ok {
		return objects.Page{}, remote.ErrNotExist
	}
	if limit == 0 {
		limit = 100
	}
	var p objects.Page
	if token == "" {
		p.Next = "\x00" // the first page is empty, as services may do
		return p, ctx.Err()
	}
	last := ""
	for _, key := range slices.Sorted(maps.Keys(bucket)) {
		rest, ok := strings.CutPrefix(key, k.Name)
		if !ok || key <= token || strings.HasPrefix(key, token) && strings.HasSuffix(token, "/") {
			continue
		}
		if len(p.Objects)+len(p.Prefixes) == limit {
			p.Next = last
			break
		}
		if dir, _, deeper := strings.Cut(rest, "/"); deeper {
			if last = k.Name + dir + "/"; !slices.Contains(p.Prefixes, last) {
				p.Prefixes = append(p.Prefixes, last)
			}
			continue
		}
		p.Objects, last = append(p.Objects, bucket[key].Object), key
	}
	return p, ctx.Err()
}

// Open implements objects.Store.
func (f *Flat) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	o, err := f.get(ctx, k)
	if err != nil {
		return objects.Content{}, err
	}
	rest := o.content[min(off, o.Size):]
	if n > 0 {
		rest = rest[:min(n, int64(len(rest)))]
	}
	return objects.Content{ReadCloser: io.NopCloser(bytes.NewReader(rest)), Object: o.Object}, nil
}

// Create implements objects.Store.
func (f *Flat) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	base, err := f.get(ctx, k)
	if err != nil && o.Keep > 0 {
		return nil, err
	}
	return &flatDraft{store: f, key: k, only: o.Only, content: slices.Clone(base.content[:o.Keep])}, nil
}

type flatDraft struct {
	store   *Flat
	key     objects.Key
	only    *string
	content []byte
}

// Write implements io.Writer.
func (d *flatDraft) Write(p []byte) (int, error) {
	d.content = append(d.content, p...)
	return len(p), nil
}

// Commit implements objects.Draft.
func (d *flatDraft) Commit(_ context.Context, modTime time.Time) (objects.Object, error) {
	if modTime.IsZero() {
		modTime = time.Now()
	}
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if d.only != nil && d.store.buckets[d.key.Bucket][d.key.Name].Version != *d.only {
		return objects.Object{}, remote.ErrChanged
	}
	d.store.put(d.key.Bucket, d.key.Name, string(d.content), modTime)
	return d.store.buckets[d.key.Bucket][d.key.Name].Object, nil
}

// Abort implements objects.Draft.
func (d *flatDraft) Abort() {}

// Copy implements objects.Store.
func (f *Flat) Copy(ctx context.Context, from objects.Key, known objects.Object, to objects.Key) (string, error) {
	o, err := f.get(ctx, from)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch _, ok := f.buckets[to.Bucket]; {
	case !ok:
		return "", remote.ErrNotExist
	case err != nil:
		return "", err
	case known.Version != "" && o.Version != known.Version:
		return "", remote.ErrChanged
	}
	return f.put(to.Bucket, to.Name, string(o.content), o.ModTime), nil
}

// Delete implements objects.Store.
func (f *Flat) Delete(ctx context.Context, k objects.Key, version string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.buckets[k.Bucket][k.Name]
	switch {
	case !ok:
		return remote.ErrNotExist
	case version != "" && o.Version != version:
		return remote.ErrChanged
	}
	delete(f.buckets[k.Bucket], k.Name)
	return ctx.Err()
}

// SetModTime implements objects.Store.
func (f *Flat) SetModTime(ctx context.Context, k objects.Key, t time.Time) error {
	o, err := f.get(ctx, k)
	if err == nil {
		f.Set(k.Bucket, k.Name, string(o.content), t)
	}
	return err
}

// Hash implements objects.Store.
func (f *Flat) Hash(ctx context.Context, k objects.Key, algorithm string) ([]byte, error) {
	return nil, remote.ErrUnsupported
}

// PageBuckets implements objects.Buckets.
func (f *Flat) PageBuckets(ctx context.Context, token string) (objects.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var p objects.Page
	for _, name := range slices.Sorted(maps.Keys(f.buckets)) {
		p.Objects = append(p.Objects, objects.Object{Name: name, Dir: true})
	}
	return p, ctx.Err()
}

// MakeBucket implements objects.Buckets.
func (f *Flat) MakeBucket(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.buckets[name] != nil {
		return remote.ErrExist
	}
	f.buckets[name] = map[string]object{}
	return nil
}

// RemoveBucket implements objects.Buckets.
func (f *Flat) RemoveBucket(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch b, ok := f.buckets[name]; {
	case !ok:
		return remote.ErrNotExist
	case len(b) > 0:
		return remote.ErrNotEmpty
	}
	delete(f.buckets, name)
	return nil
}

// All implements objects.Store.
func (f *Flat) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	return func(yield func(objects.Object, error) bool) {
		for _, key := range f.Keys(k.Bucket) {
			o, err := f.get(ctx, objects.Key{Bucket: k.Bucket, Name: key})
			if err == remote.ErrNotExist || !strings.HasPrefix(key, k.Name) {
				continue
			}
			if !yield(o.Object, err) {
				return
			}
		}
	}
}
