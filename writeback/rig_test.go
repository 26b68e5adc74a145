package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

// rig is a tree with a cache that can be stopped and started again, over a remote in memory that
// records the changes made to it.
type rig struct {
	*Tree
	t      *testing.T
	o      Options
	disk   *disktest.Disk
	on     disk.Disk      // what the cache is on; nil = disk
	inner  *memory.Remote // the files of the remote
	faults *faulty.Remote
	logged *remotetest.Log

	store *cache.Store
	stop  func()
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	return newRigOn(t, o, disktest.New(), nil)
}

// newRigOn starts a rig whose cache is on d, or on what stands before it.
func newRigOn(t *testing.T, o Options, d *disktest.Disk, before disk.Disk) *rig {
	t.Helper()
	b := &rig{t: t, o: o, disk: d, on: before, inner: memory.New(), logged: &remotetest.Log{}}
	b.faults = faulty.New(b.inner)
	b.o.Log = slog.New(slog.NewTextHandler(b.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

// start opens the cache and starts applying pending changes.
func (b *rig) start() {
	b.t.Helper()
	var on disk.Disk = b.disk
	if b.on != nil {
		on = b.on
	}
	store, err := cache.Open(on, cache.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.store, b.o.Store = store, store
	tree, closeTree := newTree(far{remote.Forward{Remote: b.faults}}, b.o)
	b.Tree = tree
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	done := make(chan error, 1)
	go func() { done <- tree.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, closeTree(), store.Close()); err != nil && !b.disk.Stopped() {
			b.t.Error(err)
		}
	})
}

// newTree returns a Tree over r with a directory cache, and a function that closes the layers below
// it.
func newTree(r remote.Remote, o Options) (*Tree, func() error) {
	b := breaker.New(breaker.Options{Probe: func(ctx context.Context) error {
		_, err := r.Stat(ctx, ".")
		return err
	}})
	names := dircache.New(r, b, dircache.Options{Time: 5 * time.Minute})
	return New(names.Direct(), names, b, o), func() error {
		defer b.Close()
		return names.Close()
	}
}

// far is a remote that is slower than a cache.
type far struct{ remote.Forward }

func (f far) Info() remote.Info {
	info := f.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

// restart ends the process in good order and starts the next one.
func (b *rig) restart() {
	b.t.Helper()
	b.stop()
	b.start()
}

// upload sends content and commits it.
func (b *rig) upload(name, content string) {
	b.t.Helper()
	u, err := b.Stage(b.t.Context(), name, remote.StageOptions{Owner: "bob"})
	b.ok(err)
	_, err = io.WriteString(u, content)
	b.ok(err)
	_, err = u.Commit(b.t.Context(), time.Time{})
	b.ok(err)
}

// Rename gives a file another name, as a client does.
func (b *rig) Rename(ctx context.Context, from, to string) error { return b.Move(ctx, from, to) }

func (b *rig) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *rig) flush() {
	b.t.Helper()
	b.ok(b.Flush(b.t.Context(), "."))
}

// has stores a file on the remote, bypassing the tree.
func (b *rig) has(name, content string) remote.Entry {
	b.t.Helper()
	for i, c := range name {
		if c != '/' {
			continue
		}
		if err := b.inner.Mkdir(b.t.Context(), name[:i]); err != nil && !errors.Is(err, remote.ErrExist) {
			b.t.Fatal(err)
		}
	}
	e, err := b.inner.Put(b.t.Context(), name, strings.NewReader(content), remote.PutOptions{})
	b.ok(err)
	return e
}

// wantThere checks the files of the remote: names and contents, "name=content"; directories end in
// a slash.
func (b *rig) wantThere(want ...string) {
	b.t.Helper()
	b.want("the remote", treeOf(b.t, b.inner, "."), want)
}

// wantSeen checks what the tree shows.
func (b *rig) wantSeen(want ...string) {
	b.t.Helper()
	b.want("the tree", treeOf(b.t, b.Tree, "."), want)
}

func (b *rig) want(what string, got, want []string) {
	b.t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s holds %q, want %q", what, got, want)
	}
}

func treeOf(t *testing.T, r remote.Remote, dir string) []string {
	t.Helper()
	var all []string
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		name := remote.Join(dir, e.Name)
		if e.Part != "" {
			continue
		}
		if e.Dir {
			all = append(all, name+"/")
			all = append(all, treeOf(t, r, name)...)
			continue
		}
		all = append(all, name+"="+readFile(t, r, name))
	}
	return all
}

func readFile(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	rc, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	content, err := io.ReadAll(rc)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// late makes the next call of op go unanswered, and take effect when deliver is called.
func (b *rig) late(op faulty.Op) {
	b.faults.Inject(faulty.Fault{Op: op, Delayed: true, Err: errNetwork})
}

// deliver lets delayed calls take effect, and checks that there are any.
func (b *rig) deliver() {
	b.t.Helper()
	if b.faults.Deliver() == 0 {
		b.t.Error("nothing was under way")
	}
}

// settle waits until no change is rechecked any more.
func (b *rig) settle() {
	b.t.Helper()
	time.Sleep(doubtWindow + time.Minute)
	if w := b.Waiting(); w.Changes > 0 {
		b.t.Errorf("%d changes still wait, the last error is %v", w.Changes, w.LastError)
	}
}

var errNetwork = &fs.PathError{Op: "dial", Path: "far", Err: errors.New("the network is down")}
