package trees

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// A nursery opens trees over empty remotes, and counts.
type nursery struct {
	opened, running, closed atomic.Int32
	fail                    atomic.Pointer[error]
	hold                    chan struct{} // nil: open returns at once
}

func (n *nursery) open(ctx context.Context) (*Tree, error) {
	n.opened.Add(1)
	if n.hold != nil {
		select {
		case <-n.hold:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if err := n.fail.Load(); err != nil {
		return nil, *err
	}
	var r remote.Remote = memory.New()
	tree := vfs.New(r, vfs.Options{})
	var running atomic.Bool
	return &Tree{
		FS: tree,
		Run: func(ctx context.Context) error {
			n.running.Add(1)
			defer n.running.Add(-1)
			running.Store(true)
			defer running.Store(false)
			<-ctx.Done()
			return nil
		},
		Close: func() {
			if running.Load() {
				panic("closed while it runs")
			}
			tree.Close()
			r.Close()
			n.closed.Add(1)
		},
	}, nil
}

// run calls do while a Set runs, and then closes that.
func run(t *testing.T, do func(t *testing.T, n *nursery, s *Set)) (n *nursery) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n = &nursery{}
		s := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		do(t, n, s)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
		if _, _, err := s.Use(t.Context(), "late", n.open); !errors.Is(err, ErrClosed) {
			t.Errorf("Use after Close: %v", err)
		}
	})
	return n
}

func TestATreeIsSharedAndClosedWhenIdle(t *testing.T) {
	n := run(t, func(t *testing.T, n *nursery, s *Set) {
		a, releaseA, err := s.Use(t.Context(), "nas:", n.open)
		if err != nil {
			t.Fatal(err)
		}
		b, releaseB, err := s.Use(t.Context(), "nas:", n.open)
		if err != nil || a != b || n.opened.Load() != 1 {
			t.Fatalf("%v; one tree: %t; opened %d times", err, a == b, n.opened.Load())
		}
		releaseA()
		releaseA() // once more does nothing
		time.Sleep(2 * DefaultIdle)
		if n.closed.Load() != 0 || n.running.Load() != 1 {
			t.Fatalf("a tree in use: closed %d, running %d", n.closed.Load(), n.running.Load())
		}
		releaseB()
		time.Sleep(DefaultIdle / 2)
		if n.closed.Load() != 0 {
			t.Fatal("closed before it was idle for long")
		}
		time.Sleep(DefaultIdle)
		synctest.Wait()
		if n.closed.Load() != 1 {
			t.Fatal("an idle tree stays open")
		}
		if _, release, err := s.Use(t.Context(), "nas:", n.open); err != nil || n.opened.Load() != 2 {
			t.Fatalf("%v; opened %d times", err, n.opened.Load())
		} else {
			release()
		}
	})
	if n.closed.Load() != 2 {
		t.Errorf("%d of 2 closed at the end", n.closed.Load())
	}
}

func TestAnErrorIsForThoseWhoWaitForIt(t *testing.T) {
	run(t, func(t *testing.T, n *nursery, s *Set) {
		n.hold = make(chan struct{})
		refused := errors.New("no such bucket")
		n.fail.Store(&refused)
		results := make(chan error, 3)
		for range 3 {
			go func() {
				_, _, err := s.Use(t.Context(), "s3:b", n.open)
				results <- err
			}()
		}
		synctest.Wait()
		close(n.hold)
		for range 3 {
			if err := <-results; !errors.Is(err, refused) {
				t.Errorf("%v", err)
			}
		}
		synctest.Wait()
		if n.opened.Load() != 1 {
			t.Errorf("opened %d times", n.opened.Load())
		}
		n.fail.Store(nil)
		_, release, err := s.Use(t.Context(), "s3:b", n.open)
		if err != nil {
			t.Fatalf("the next one tries again: %v", err)
		}
		release()
	})
}

func TestAnOpenThatNobodyWaitsForIsGivenUp(t *testing.T) {
	run(t, func(t *testing.T, n *nursery, s *Set) {
		n.hold = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, _, err := s.Use(ctx, "slow:", n.open)
			first <- err
		}()
		synctest.Wait()
		second := make(chan error)
		go func() {
			_, release, err := s.Use(t.Context(), "slow:", n.open)
			if err == nil {
				release()
			}
			second <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who left: %v", err)
		}
		close(n.hold)
		if err := <-second; err != nil {
			t.Errorf("the one who waits gets the tree that the other began to open: %v", err)
		}
		n.hold = make(chan struct{})
		ctx, cancel = context.WithCancel(t.Context())
		go func() {
			_, _, err := s.Use(ctx, "other:", n.open)
			first <- err
		}()
		synctest.Wait()
		cancel()
		<-first
		close(n.hold)
		if _, release, err := s.Use(t.Context(), "other:", n.open); err != nil {
			t.Errorf("who comes after the last one left begins anew: %v", err)
		} else {
			release()
		}
	})
}

// TestManyComeAndGo has 8 users use 5 trees for moments and pauses around the idle time.
func TestManyComeAndGo(t *testing.T) {
	n := run(t, func(t *testing.T, n *nursery, s *Set) {
		done := make(chan bool)
		for i := range 8 {
			go func() {
				for j := range 20 {
					tree, release, err := s.Use(t.Context(), fmt.Sprint((i+j)%5), n.open)
					if err != nil {
						t.Errorf("%v", err)
						break
					}
					if _, err := tree.View("me").Stat(t.Context(), "."); err != nil {
						t.Errorf("a tree in use: %v", err)
					}
					time.Sleep(time.Duration(i*j) * time.Second)
					release()
					time.Sleep(time.Duration((i*7+j*13)%11) * DefaultIdle)
				}
				done <- true
			}()
		}
		for range 8 {
			<-done
		}
	})
	if n.opened.Load() != n.closed.Load() || n.opened.Load() < 10 {
		t.Errorf("opened %d, closed %d", n.opened.Load(), n.closed.Load())
	}
}

// TestAFailedTreeIsLeftAndOpenedAnew has the background work of a tree end with an error, while
// something waits in it and a user has it.
func TestAFailedTreeIsLeftAndOpenedAnew(t *testing.T) {
	n := run(t, func(t *testing.T, n *nursery, s *Set) {
		broken := errors.New("the disk is gone")
		var failed []string
		s.opt.Failed = func(tree *vfs.FS) { failed = append(failed, fmt.Sprintf("%T", tree)) }
		begin := make(chan struct{})
		failing := func(ctx context.Context) (*Tree, error) {
			tree, err := n.open(ctx)
			if err == nil {
				tree.Run = func(context.Context) error { <-begin; return broken }
			}
			return tree, err
		}
		_, release, err := s.Use(t.Context(), "nas:", failing)
		if err != nil {
			t.Fatal(err)
		}
		close(begin)
		synctest.Wait()
		if len(failed) != 1 {
			t.Fatalf("told of %v", failed)
		}
		if _, _, err := s.Use(t.Context(), "nas:", n.open); !errors.Is(err, broken) {
			t.Errorf("somebody begins to use it: %v", err)
		}
		release()
		synctest.Wait()
		if n.closed.Load() != 1 {
			t.Fatal("it stays open when its last user has left")
		}
		_, release, err = s.Use(t.Context(), "nas:", n.open)
		if err != nil || n.opened.Load() != 2 {
			t.Fatalf("%v; opened %d times", err, n.opened.Load())
		}
		release()
	})
	if n.opened.Load() != n.closed.Load() {
		t.Errorf("opened %d, closed %d", n.opened.Load(), n.closed.Load())
	}
}

// TestATreeThatComesTooLateIsNotUsed ends the Set while a tree is being opened.
func TestATreeThatComesTooLateIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &nursery{hold: make(chan struct{})}
		s := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		result := make(chan error, 1)
		go func() {
			_, _, err := s.Use(t.Context(), "slow:", n.open)
			result <- err
		}()
		synctest.Wait()
		cancel()
		<-done
		close(n.hold)
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("a tree that is closed is used: %v", err)
		}
		s.Close()
		if n.closed.Load() != 1 {
			t.Errorf("closed %d times", n.closed.Load())
		}
	})
}

// TestCloseGivesUpWhatIsBeingOpened has a remote that never answers.
func TestCloseGivesUpWhatIsBeingOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &nursery{hold: make(chan struct{})}
		s := New(Options{})
		result := make(chan error, 1)
		go func() {
			_, _, err := s.Use(t.Context(), "dead:", n.open)
			result <- err
		}()
		synctest.Wait()
		s.Close()
		if err := <-result; err == nil {
			t.Error("a tree is used after Close")
		}
	})
}
