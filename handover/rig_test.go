package handover

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/cluster/clustertest"
	"ferry/dircache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/intercept"
	"ferry/writeback"
)

// treeName is what all nodes of a test call their tree.
const treeName = "store-1"

var errKilled = errors.New("the process was killed")

// A world is what all nodes of a test reach: what they serve, and where they hand over.
type world struct {
	t            *testing.T
	store, place *memory.Remote
	server       *clustertest.Server // nil = nobody is told
	latency      time.Duration       // of a read of the place

	mu   sync.Mutex
	made []string // guarded by mu; changes of the store
}

func newWorld(t *testing.T) *world {
	return &world{t: t, store: memory.New(), place: memory.New()}
}

// served is the store, whose changes are noted.
func (w *world) served() remote.Remote {
	return intercept.New(w.store, func(ctx context.Context, c *intercept.Call) error {
		err := c.Do(ctx)
		switch c.Op {
		case intercept.Put, intercept.Remove, intercept.Move, intercept.Mkdir, intercept.Rmdir:
			if err == nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.made = append(w.made, string(c.Op)+" "+c.Name)
			}
		}
		return err
	})
}

// changes returns what was changed on the store, sorted.
func (w *world) changes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.made))
}

// has stores a file, as another program does.
func (w *world) has(name, content string) {
	w.t.Helper()
	if _, err := w.store.Put(w.t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// content returns that of a file of the store, "" if there is none.
func (w *world) content(name string) string {
	w.t.Helper()
	r, err := w.store.Open(w.t.Context(), name, 0, -1)
	if errors.Is(err, remote.ErrNotExist) {
		return ""
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// left returns the files of the place.
func (w *world) left(dir string) (names []string) {
	w.t.Helper()
	for e, err := range w.place.List(w.t.Context(), dir) {
		if err != nil {
			w.t.Fatal(err)
		}
		if name := remote.Join(dir, e.Name); e.Dir {
			names = append(names, w.left(name)...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// A node is a process with a disk of its own.
type node struct {
	*world
	name string
	disk *disktest.Disk

	mu    sync.Mutex
	at    int  // guarded by mu; it is killed at this call to the place, counted from 1; 0 = never
	after bool // guarded by mu; when the call was carried out
	calls int  // guarded by mu

	kept  *cache.Store
	tree  *writeback.Tree
	place *Place
	close func()
}

func (w *world) node(name string, d *disktest.Disk) *node {
	n := &node{world: w, name: name, disk: d}
	n.start()
	return n
}

// start starts the node, without applying anything.
func (n *node) start() {
	n.t.Helper()
	store, err := cache.Open(n.disk, cache.Options{})
	if err != nil {
		n.t.Fatal(err)
	}
	r := far{remote.Forward{Remote: n.served()}}
	b := breaker.New(breaker.Options{Probe: func(context.Context) error { return nil }})
	names := dircache.New(r, b, dircache.Options{Time: 5 * time.Minute})
	n.kept = store
	n.tree = writeback.New(names.Direct(), names, b, writeback.Options{Store: store, Mode: writeback.Writes, WriteBack: time.Hour, Conflict: writeback.KeepBoth, Node: n.name})
	o := Options{Node: n.name}
	if n.server != nil {
		o.Engine = n.server.Node()
	}
	n.place = New(intercept.New(n.world.place, n.call), o)
	n.close = func() {
		b.Close()
		if err := names.Close(); err != nil {
			n.t.Error(err)
		}
	}
}

// call is around each call to the place.
func (n *node) call(ctx context.Context, c *intercept.Call) error {
	n.mu.Lock()
	n.calls++
	killed := n.disk.Stopped() || n.at > 0 && n.calls > n.at
	now, after := n.at > 0 && n.calls == n.at, n.after
	n.mu.Unlock()
	if killed || now && !after {
		n.kill()
		return errKilled
	}
	if c.Op == intercept.Open {
		time.Sleep(n.latency)
	}
	err := c.Do(ctx)
	if now {
		n.kill()
		return errKilled
	}
	return err
}

// kill has the disk of the node do nothing any more.
func (n *node) kill() { n.disk.Fail(func(string, string) error { return errKilled }) }

// end stops the node in good order.
func (n *node) end() {
	n.t.Helper()
	n.close()
	if err := n.kept.Close(); err != nil {
		n.t.Error(err)
	}
}

// again starts the node anew, after it was killed.
func (n *node) again(l disktest.Loss) *node {
	n.t.Helper()
	n.close()
	return n.world.node(n.name, n.disk.Restart(l))
}

// run applies what waits, and returns when nothing does.
func (n *node) run() {
	n.t.Helper()
	ctx, cancel := context.WithCancel(n.t.Context())
	done := make(chan error, 1)
	go func() { done <- n.tree.Run(ctx) }()
	if err := n.tree.Flush(n.t.Context(), "."); err != nil {
		n.t.Error(err)
	}
	for range 20 { // after a loss of power all is in doubt for a while
		if len(n.kept.Pending()) > 0 {
			time.Sleep(time.Minute)
		}
	}
	cancel()
	if err := <-done; err != nil {
		n.t.Error(err)
	}
	if left := n.kept.Pending(); len(left) > 0 {
		n.t.Errorf("%s still has %v", n.name, left)
	}
}

// give hands over what waits.
func (n *node) give() error {
	g, err := n.place.Giver(n.t.Context(), treeName, About{Remote: "store:"})
	if err != nil {
		return err
	}
	_, err = n.tree.HandOver(n.t.Context(), g)
	return errors.Join(err, g.Close(n.t.Context()))
}

// take takes over what was handed over.
func (n *node) take() (Taken, error) { return n.place.Take(n.t.Context(), treeName, n.tree) }

// ok fails the test if something went wrong.
func (n *node) ok(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatalf("%s: %v", n.name, err)
	}
}

// add makes a change a record of the node that waits.
func (n *node) add(rec cache.Record, content string) {
	n.t.Helper()
	if rec.Kind != cache.File {
		_, err := n.kept.Add(n.t.Context(), rec, cache.Durable)
		n.ok(err)
		return
	}
	d, err := n.kept.Create(n.t.Context(), cache.CreateOptions{Name: rec.Name})
	n.ok(err)
	_, err = io.WriteString(d, content)
	n.ok(err)
	_, err = d.Commit(n.t.Context(), rec, cache.Durable)
	n.ok(err)
}

// far is a remote that is slower than a cache.
type far struct{ remote.Forward }

func (f far) Info() remote.Info {
	info := f.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

// running calls do while a node applies what is due.
func running(n *node, do func()) {
	n.t.Helper()
	ctx, cancel := context.WithCancel(n.t.Context())
	done := make(chan error, 1)
	go func() { done <- n.tree.Run(ctx) }()
	do()
	cancel()
	n.ok(<-done)
}

// read returns the content of a file.
func read(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// noConditions is a remote that stores on no condition.
type noConditions struct{ remote.Forward }

func (noConditions) PutIf(context.Context, string, io.Reader, string, remote.PutOptions) (remote.Entry, error) {
	return remote.Entry{}, remote.ErrUnsupported
}
