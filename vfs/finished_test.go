package vfs

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// A markedStore keeps parts for several nodes, and can tell who left one that another has finished
// it.
type markedStore struct {
	mu    sync.Mutex
	marks map[string]*marked // guarded by mu; by node: who finished what it had left
}

// marked is the remote of one node.
type marked struct {
	remote.Forward
	all      *markedStore
	left     bool // guarded by all.mu
	finished bool // guarded by all.mu; by another node, since it was left
}

func (s *markedStore) node(name string, r remote.Remote) *marked {
	n := &marked{Forward: remote.Forward{Remote: r}, all: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.marks == nil {
		s.marks = map[string]*marked{}
	}
	s.marks[name] = n
	return n
}

func (r *marked) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	e, err := r.Forward.Part(ctx, name, owner)
	r.all.mu.Lock()
	defer r.all.mu.Unlock()
	if errors.Is(err, remote.ErrNotExist) && r.left && r.finished {
		err = remote.Fail("part", name, remote.ErrFinished)
	}
	return e, err
}

func (r *marked) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	return &markedStage{s, r}, err
}

type markedStage struct {
	remote.Stage
	node *marked
}

func (s *markedStage) Keep() error {
	s.node.all.mu.Lock()
	defer s.node.all.mu.Unlock()
	s.node.left, s.node.finished = true, false
	return s.Stage.Keep()
}

func (s *markedStage) Commit(ctx context.Context, t time.Time) (remote.Entry, error) {
	e, err := s.Stage.Commit(ctx, t)
	s.node.all.mu.Lock()
	defer s.node.all.mu.Unlock()
	for _, n := range s.node.all.marks {
		if n != s.node && err == nil {
			n.finished = true
		}
	}
	return e, err
}

// sent sends content from off, and commits or cuts.
func sent(t *testing.T, v *View, off int64, content string, cut bool) error {
	t.Helper()
	u, err := v.Create(t.Context(), "f", off)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := io.WriteString(u, content); err != nil || cut {
		return err
	}
	return u.Commit(t.Context())
}

// nodesOf are two nodes over one store: their views of one user.
func nodesOf(t *testing.T, mode writeback.Mode, of func(name string, r remote.Remote) remote.Remote) (a, b *View) {
	store := memory.New()
	node := func(name string) *View {
		o := Options{PartMaxAge: 24 * time.Hour}
		if mode != 0 {
			c, err := cache.Open(disktest.New(), cache.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			o.Cache = writeback.Options{Mode: mode, Ack: writeback.AckRemote, Store: c}
		}
		f := New(of(name, store), o)
		ctx, cancel := context.WithCancel(context.Background())
		var run sync.WaitGroup
		run.Go(func() { _ = f.Run(ctx) })
		t.Cleanup(func() { cancel(); run.Wait() })
		return f.View("bob")
	}
	return node("a"), node("b")
}

// An upload that was cut at one node and finished at another is over at the first one as well,
// where the store can tell. What is only known to have vanished is not.
func TestAnUploadThatWasFinishedAtAnotherNode(t *testing.T) {
	s := &markedStore{}
	a, b := nodesOf(t, 0, func(name string, r remote.Remote) remote.Remote { return s.node(name, r) })
	for i, step := range []error{
		sent(t, a, 0, "0123", true), sent(t, b, 4, "4567", false), sent(t, a, AtEnd, "89", false),
		sent(t, a, 10, "a", false), sent(t, b, AtEnd, "b", false),
	} {
		if step != nil {
			t.Fatalf("step %d: %v", i, step)
		}
	}
	if got := readAll(t, a, "f"); got != "0123456789ab" {
		t.Errorf("the file is %q", got)
	}

	// What is cut after that is another upload.
	if err := sent(t, a, 0, "xyz", true); err != nil {
		t.Fatal(err)
	}
	if err := b.fs.top.DropPart(t.Context(), "f", b.owner); err != nil {
		t.Fatal(err)
	}
	if err := sent(t, a, AtEnd, "more", false); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("joined to a file of which it is not known whose it is: %v", err)
	}
}

// Without a sign that the owner has finished it, an upload that was cut may not be continued behind
// what somebody has stored since.
func TestAnUploadThatHasVanished(t *testing.T) {
	a, b := nodesOf(t, 0, func(_ string, r remote.Remote) remote.Remote { return r })
	if err := sent(t, a, 0, "0123", true); err != nil {
		t.Fatal(err)
	}
	if err := b.fs.top.DropPart(t.Context(), "f", b.owner); err != nil {
		t.Fatal(err)
	}
	if err := sent(t, b.fs.View("eve"), 0, "of eve", false); err != nil {
		t.Fatal(err)
	}
	if err := sent(t, a, AtEnd, "4567", false); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("joined to the file of somebody else: %v", err)
	}
}

// With a disk cache an upload that was cut is at its node, whatever happens at others.
func TestAnUploadThatWasCutOnADiskStaysThere(t *testing.T) {
	s := &markedStore{}
	a, b := nodesOf(t, writeback.Writes, func(name string, r remote.Remote) remote.Remote { return s.node(name, r) })
	if err := sent(t, a, 0, "0123", true); err != nil {
		t.Fatal(err)
	}
	if err := sent(t, b, 0, "01234567", false); err != nil {
		t.Fatal(err)
	}
	if err := sent(t, a, AtEnd, "89", false); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("APPE behind what another node has stored: %v", err)
	}
	if err := sent(t, a, 4, "4567", false); err != nil {
		t.Errorf("who knows how far it came: %v", err)
	}
	if got := readAll(t, a, "f"); got != "01234567" {
		t.Errorf("the file is %q", got)
	}
}
