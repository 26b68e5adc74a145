package vfs

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// inParts is a remote that sends everything in parts, and keeps those of an upload that nobody
// ended.
type inParts struct {
	remote.Remote

	mu     sync.Mutex
	begun  int      // guarded by mu
	kept   []string // guarded by mu; tokens
	refuse error    // guarded by mu; what an upload and its abortion fail with
	hang   bool     // guarded by mu; parts are on their way for ever
}

func (p *inParts) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	p.mu.Lock()
	p.begun++
	token := name + " " + string(rune('0'+p.begun))
	p.kept = append(p.kept, token)
	refuse, hang := p.refuse, p.hang
	p.mu.Unlock()
	remote.UploadBegun(ctx, token)
	if hang {
		<-ctx.Done()
		return remote.Entry{}, context.Cause(ctx)
	}
	e, err := p.Remote.Put(ctx, name, body, o)
	if refuse != nil {
		remote.UploadEnded(ctx, token, true)
		return remote.Entry{}, refuse
	}
	p.drop(token)
	remote.UploadEnded(ctx, token, false)
	return e, err
}

func (p *inParts) AbortUpload(_ context.Context, token string) error {
	p.mu.Lock()
	refuse := p.refuse
	p.mu.Unlock()
	if refuse == nil {
		p.drop(token)
	}
	return refuse
}

func (p *inParts) drop(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = slices.DeleteFunc(p.kept, func(other string) bool { return other == token })
}

func (p *inParts) set(refuse error, hang bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.hang = refuse, hang
}

func (p *inParts) left() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.kept)
}

// treeRun is a tree with a cache on a disk.
type treeRun struct {
	fs    *FS
	store *cache.Store
	stop  func()
}

func startTree(t *testing.T, d *disktest.Disk, r remote.Remote) treeRun {
	t.Helper()
	store, err := cache.Open(d, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tree := New(r, Options{Cache: writeback.Options{Store: store, Mode: writeback.Writes, Gate: writeback.NewGate(4)}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- tree.Run(ctx) }()
	return treeRun{tree, store, sync.OnceFunc(func() {
		cancel()
		_ = errors.Join(<-done, tree.Close(), store.Close()) // it is killed
	})}
}

func commit(t *testing.T, tree *FS, name string) {
	t.Helper()
	u, err := tree.View("bob").Create(t.Context(), name, 0)
	if err == nil {
		_, err = io.WriteString(u, "content")
		err = errors.Join(err, u.Commit(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What a killed process has sent of an upload in parts is aborted by the next one.
func TestAnInterruptedUploadInPartsIsAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := disktest.New(), &inParts{Remote: memory.New()}
		r.set(nil, true)
		one := startTree(t, d, r)
		commit(t, one.fs, "f")
		commit(t, one.fs, "g")
		time.Sleep(time.Minute)
		if len(r.left()) != 2 {
			t.Fatalf("%q are under way", r.left())
		}
		next := d.Restart(disktest.Nothing())
		one.stop()
		r.set(errNetwork, false)
		two := startTree(t, next, r)
		time.Sleep(time.Minute)
		r.set(nil, false)
		time.Sleep(2 * time.Hour)
		if err := two.fs.Flush(t.Context(), "."); err != nil {
			t.Error(err)
		}
		if left := r.left(); len(left) != 0 {
			t.Errorf("%q are left", left)
		}
		two.stop()
		three := startTree(t, next, r)
		defer three.stop()
		if notes := three.store.Uploads(); len(notes) != 0 {
			t.Errorf("%d notes are left", len(notes))
		}
	})
}

// An upload that failed and could not be aborted is aborted later by the same process.
func TestAnUploadThatCannotBeAbortedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := disktest.New(), &inParts{Remote: memory.New()}
		r.set(errNetwork, false)
		tree := startTree(t, d, r)
		defer tree.stop()
		commit(t, tree.fs, "f")
		time.Sleep(time.Minute)
		if len(r.left()) == 0 {
			t.Fatal("nothing was begun")
		}
		r.set(nil, false)
		time.Sleep(2 * time.Hour)
		if left := r.left(); len(left) != 0 {
			t.Errorf("%q are left", left)
		}
	})
}
