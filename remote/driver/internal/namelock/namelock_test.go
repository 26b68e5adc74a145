package namelock

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestNamesAreHeldByOneAtATime(t *testing.T) {
	n := New()
	holders, most := 0, 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			names := []string{"d/a", "d/b"}
			if i%2 == 0 { // in the other order, which must not make two wait for each other
				names = []string{"d/b", "d/a"}
			}
			release, err := n.Change(t.Context(), names...)
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			mu.Lock()
			holders++
			most = max(most, holders)
			mu.Unlock()
			mu.Lock()
			holders--
			mu.Unlock()
		})
	}
	all.Wait()
	if most != 1 || len(n.held) != 0 {
		t.Errorf("%d held it at once, %d locks are left", most, len(n.held))
	}
}

func TestADirectoryIsHeldAgainstItsRemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		file1, err1 := n.Change(t.Context(), "d/a")
		file2, err2 := n.Change(t.Context(), "d/b") // another name in it does not wait
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		removed := make(chan func(), 1)
		go func() {
			release, err := n.Change(t.Context(), "d")
			if err != nil {
				t.Error(err)
			}
			removed <- release
		}()
		looked := make(chan func(), 1)
		synctest.Wait()
		go func() { // comes after who wants it alone, and so waits for that one
			release, err := n.Look(t.Context(), "d")
			if err != nil {
				t.Error(err)
			}
			looked <- release
		}()
		file1()
		synctest.Wait()
		if len(removed) != 0 || len(looked) != 0 {
			t.Error("the directory is given away while a name in it is held")
		}
		file2()
		synctest.Wait()
		if len(removed) != 1 || len(looked) != 0 {
			t.Error("who waited longest does not get it, or not alone")
		}
		(<-removed)()
		(<-looked)()
		if len(n.held) != 0 {
			t.Errorf("%d locks are left", len(n.held))
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		release, err := n.Look(t.Context(), "d/f")
		if err != nil {
			t.Fatal(err)
		}
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := n.Change(ctx, "d/f")
			failed <- err
		}()
		synctest.Wait()
		looked := make(chan error, 1)
		go func() {
			release, err := n.Look(t.Context(), "d/f")
			if err == nil {
				release()
			}
			looked <- err
		}()
		synctest.Wait()
		cancel(cause)
		if err := <-failed; err != cause {
			t.Errorf("%v", err)
		}
		if err := <-looked; err != nil { // who waited for the one that gave up
			t.Error(err)
		}
		release()
		if len(n.held) != 0 {
			t.Errorf("%d locks are left", len(n.held))
		}
	})
}
