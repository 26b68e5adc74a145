package vfs

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/writeback"
)

// objectStore is a remote as object stores are: directories come with the files in them, nothing is
// staged or renamed, and asking it is not for free.
type objectStore struct{ m *memory.Remote }

func newObjectStore() *objectStore { return &objectStore{memory.New()} }

func (o *objectStore) Info() remote.Info {
	return remote.Info{Name: "objects:", Caps: remote.Caps{ImplicitDirs: true, NoParts: true, ModTime: time.Nanosecond}}
}

func (o *objectStore) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := o.m.Stat(ctx, name)
	e.Mode = 0
	return e, err
}

func (o *objectStore) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range o.m.List(ctx, dir) {
			e.Mode = 0
			if !yield(e, err) {
				return
			}
		}
	}
}

func (o *objectStore) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	return o.m.Open(ctx, name, off, n)
}

func (o *objectStore) Put(ctx context.Context, name string, body io.Reader, opt remote.PutOptions) (remote.Entry, error) {
	if err := o.parents(ctx, name); err != nil {
		return remote.Entry{}, err
	}
	e, err := o.m.Put(ctx, name, body, opt)
	e.Mode = 0
	return e, err
}

// parents makes the directories above name, which come with it.
func (o *objectStore) parents(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	if dir == "." || !remote.ValidPath(name) {
		return nil
	}
	if err := o.parents(ctx, dir); err != nil {
		return err
	}
	if err := o.m.Mkdir(ctx, dir); !errors.Is(err, remote.ErrExist) {
		return err
	}
	return nil
}

func (o *objectStore) Remove(ctx context.Context, name string) error { return o.m.Remove(ctx, name) }

func (o *objectStore) Mkdir(ctx context.Context, dir string) error {
	if err := o.parents(ctx, dir); err != nil {
		return err
	}
	return o.m.Mkdir(ctx, dir)
}

func (o *objectStore) Rmdir(ctx context.Context, dir string) error { return o.m.Rmdir(ctx, dir) }

func (o *objectStore) SetModTime(ctx context.Context, name string, t time.Time) error {
	return o.m.SetModTime(ctx, name, t)
}

func (o *objectStore) CheckTime(string, time.Time) error { return nil }

func (o *objectStore) Close() error { return o.m.Close() }

// running is a tree with a cache whose Run goes on beside it until it is closed.
type running struct {
	*writeback.Tree
	stop func() error
}

func (r *running) Close() error { return r.stop() }

// runCached puts a cache on a disk in memory over r.
func runCached(t *testing.T, r remote.Remote, c writeback.Options) *running {
	t.Helper()
	store, err := cache.Open(disktest.New(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Store = store
	f := New(r, Options{DirCacheTime: 5 * time.Minute, Cache: c})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	return &running{f.top.(*writeback.Tree), func() error {
		cancel()
		return errors.Join(<-done, f.Close(), store.Close(), r.Close())
	}}
}

// settling is one of which nothing waits any more when a call returns.
type settling struct{ *running }

func (s *settling) settle(ctx context.Context, err error) error {
	return errors.Join(err, s.Flush(context.WithoutCancel(ctx), "."))
}

func (s *settling) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := s.running.Put(ctx, name, body, o)
	if err := s.settle(ctx, err); err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

func (s *settling) Remove(ctx context.Context, name string) error {
	return s.settle(ctx, s.running.Remove(ctx, name))
}

func (s *settling) Move(ctx context.Context, from, to string) error {
	return s.settle(ctx, s.running.Move(ctx, from, to))
}

func (s *settling) Mkdir(ctx context.Context, dir string) error {
	return s.settle(ctx, s.running.Mkdir(ctx, dir))
}

func (s *settling) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	u, err := s.running.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &settlingStage{u, s}, nil
}

type settlingStage struct {
	remote.Stage
	s *settling
}

func (u *settlingStage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	e, err := u.Stage.Commit(ctx, modTime)
	return e, u.s.settle(ctx, err)
}

// TestATreeWithACacheKeepsTheContracts runs the conformance suite over what is in the cache, and
// over what has passed it.
func TestATreeWithACacheKeepsTheContracts(t *testing.T) {
	inMemory := func() remote.Remote { return memory.New() }
	inObjects := func() remote.Remote { return newObjectStore() }
	waits := time.Hour
	for name, tt := range map[string]struct {
		open    func() remote.Remote
		c       writeback.Options
		settles bool
	}{
		"writes":             {inMemory, writeback.Options{Mode: writeback.Writes, WriteBack: waits}, false},
		"writes, sent":       {inMemory, writeback.Options{Mode: writeback.Writes}, true},
		"full, objects":      {inObjects, writeback.Options{Mode: writeback.Full, WriteBack: waits}, false},
		"full, objects sent": {inObjects, writeback.Options{Mode: writeback.Full}, true},
		"minimal":            {inMemory, writeback.Options{Mode: writeback.Minimal, WriteBack: waits}, false},
		"minimal, objects":   {inObjects, writeback.Options{Mode: writeback.Minimal}, true},
		"spooled":            {inObjects, writeback.Options{Mode: writeback.Writes, Ack: writeback.AckSpooled, WriteBack: waits}, false},
		"remote":             {inMemory, writeback.Options{Mode: writeback.Writes, Ack: writeback.AckRemote, WriteBack: waits}, false},
		"remote, objects":    {inObjects, writeback.Options{Mode: writeback.Full, Ack: writeback.AckRemote, WriteBack: waits}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				r := runCached(t, tt.open(), tt.c)
				if tt.settles {
					return &settling{r}
				}
				return r
			})
		})
	}
}
