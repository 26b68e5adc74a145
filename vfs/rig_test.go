package vfs

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

	"ferry/cache"
	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// rig is a tree with a cache that can be stopped and started again, over a remote in memory that
// records the changes made to it.
type rig struct {
	*View
	t      *testing.T
	o      Options
	disk   *disktest.Disk
	on     disk.Disk                         // what the cache is on; nil = disk
	wrap   func(remote.Remote) remote.Remote // what the tree sees of wrote; nil = all
	room   cache.Options
	inner  *memory.Remote // the files of the remote
	faults *faulty.Remote
	wrote  *notes
	logged *logText

	mayFail bool    // the disk will fail
	off     bool    // there is no cache
	told    *outbox // of uploads; nil = nobody

	over  func() remote.Remote // makes the remote; nil = it is inner
	files remote.Remote        // the remote, past everything that is between it and the tree

	far func(*memory.Remote) remote.Remote // wraps inner; nil = not wrapped

	fs    *FS
	store *cache.Store
	stop  func()
}

func newRig(t *testing.T, c writeback.Options) *rig {
	t.Helper()
	return newRoomyRig(t, c, cache.Options{})
}

func newRoomyRig(t *testing.T, c writeback.Options, room cache.Options) *rig {
	t.Helper()
	return newRigAt(t, c, &rig{disk: disktest.New(), room: room})
}

// newRigAt completes a rig and starts it.
func newRigAt(t *testing.T, c writeback.Options, b *rig) *rig {
	t.Helper()
	b.t, b.inner, b.logged = t, memory.New(), &logText{}
	b.files = b.inner
	if b.over != nil {
		b.files = b.over()
	}
	far := b.files
	if b.far != nil {
		far = b.far(b.inner)
	}
	b.faults = faulty.New(far)
	b.wrote = &notes{Forward: remote.Forward{Remote: b.faults}}
	b.o = Options{
		DirCacheTime: 5 * time.Minute, Cache: c,
		Log: slog.New(slog.NewTextHandler(b.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
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
	store, err := cache.Open(on, b.room)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.o.Cache.Store = store; b.off {
		b.o.Cache.Store = nil
	}
	b.store, b.o.Events = store, b.told.stream(b.disk)
	var top remote.Remote = b.wrote
	if b.wrap != nil {
		top = b.wrap(b.wrote)
	}
	b.fs = New(top, b.o)
	b.View = b.fs.View("bob")
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.fs.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, b.fs.Close(), store.Close()); err != nil && !b.mayFail {
			b.t.Error(err)
		}
	})
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
	b.send(name, content, 0)
}

func (b *rig) send(name, content string, off int64) {
	b.t.Helper()
	if err := b.trySend(name, content, off); err != nil {
		b.t.Fatalf("upload of %s: %v", name, err)
	}
}

func (b *rig) trySend(name, content string, off int64) error {
	ctx := b.told.origin(b.t.Context(), name, content)
	u, err := b.Create(ctx, name, off)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	return u.Commit(ctx)
}

func (b *rig) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *rig) flush() {
	b.t.Helper()
	b.ok(b.fs.Flush(b.t.Context(), "."))
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

// wantCalls checks the changes made on the remote since the last call, in order where it matters.
func (b *rig) wantCalls(want ...string) {
	b.t.Helper()
	got := b.wrote.take()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		b.t.Errorf("the remote was asked to %q, want %q", got, want)
	}
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
	b.want("the tree", treeOf(b.t, b.fs.top, "."), want)
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

// notes is a decorator that records each changing call, before it is made. It is slower than a
// cache.
type notes struct {
	remote.Forward

	tell func(call string) // nil: they are kept for take

	mu    sync.Mutex
	calls []string // guarded by mu
}

func (n *notes) note(call string) {
	if n.tell != nil {
		n.tell(call)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, call)
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

func (n *notes) Info() remote.Info {
	info := n.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

func (n *notes) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	n.note("put " + name)
	return n.Forward.Put(ctx, name, body, o)
}

func (n *notes) Remove(ctx context.Context, name string) error {
	n.note("remove " + name)
	return n.Forward.Remove(ctx, name)
}

func (n *notes) Mkdir(ctx context.Context, dir string) error {
	n.note("mkdir " + dir)
	return n.Forward.Mkdir(ctx, dir)
}

func (n *notes) Rmdir(ctx context.Context, dir string) error {
	n.note("rmdir " + dir)
	return n.Forward.Rmdir(ctx, dir)
}

func (n *notes) Move(ctx context.Context, from, to string) error {
	n.note("move " + from + " " + to)
	return n.Forward.Move(ctx, from, to)
}

func (n *notes) SetModTime(ctx context.Context, name string, t time.Time) error {
	n.note("setmodtime " + name)
	return n.Forward.SetModTime(ctx, name, t)
}

// A logText is a log that may be read while it is written.
type logText struct{ remotetest.Log }

// tail returns the last lines.
func (w *logText) tail(n int) string {
	lines := strings.SplitAfter(w.String(), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "")
}

func (b *rig) wantLogged(parts ...string) {
	b.t.Helper()
	for line := range strings.Lines(b.logged.String()) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return
		}
	}
	b.t.Errorf("no line of the log has all of %q:\n%s", parts, b.logged)
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

var errNetwork = &fs.PathError{Op: "dial", Path: "far", Err: errors.New("the network is down")}

// How package writeback behaves, as far as these tests wait for it.
const (
	doubtPause  = 10 * time.Second
	doubtWindow = 5 * time.Minute
	maxDelay    = time.Minute
	spoolStep   = 1 << 20
)
