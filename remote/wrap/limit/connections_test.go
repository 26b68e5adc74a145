package limit_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/limit"
)

func TestAConnectionIsHeldUntilTheEnd(t *testing.T) {
	calls := map[string]func(t *testing.T, r *limit.Remote) (end func()){
		"a reader": func(t *testing.T, r *limit.Remote) func() {
			f, err := r.Open(t.Context(), "f", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			return func() { f.Close(); f.Close() }
		},
		"a Put": func(t *testing.T, r *limit.Remote) func() {
			pr, pw := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, err := r.Put(t.Context(), "g", pr, remote.PutOptions{}); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
			return func() { pw.Close(); <-done }
		},
		"a stage that is written to": func(t *testing.T, r *limit.Remote) func() {
			s := stage(t, r, "g")
			pr, pw := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, err := s.(io.ReaderFrom).ReadFrom(pr); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
			return func() { pw.Close(); <-done; s.Abort() }
		},
	}
	for name, begin := range calls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := limit.New(shortcut{remote.Forward{Remote: memory.New()}}, limit.Options{Connections: 2})
				put(t, r, "f", 3)
				end := begin(t, r)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := r.Open(ctx, "f", 0, -1); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a second call that can last: %v", err)
				}
				took(t, 0, func() {
					if _, err := r.Stat(t.Context(), "f"); err != nil {
						t.Errorf("one that is over soon: %v", err)
					}
				})
				time.AfterFunc(time.Minute, end)
				took(t, time.Minute, func() { get(t, r, "f", 3) })
				for range 5 { // nothing was given back twice
					get(t, r, "f", 3)
				}
				synctest.Wait()
			})
		})
	}
}

func TestAllShareASingleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Connections: 1})
		put(t, r, "f", 3)
		f, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { f.Close() })
		took(t, time.Minute, func() {
			if _, err := r.Stat(t.Context(), "f"); err != nil {
				t.Error(err)
			}
		})
		// An upload that is continued is compared with its file before it is published.
		s := stage(t, r, "g")
		if _, err := io.WriteString(s, "content"); err != nil {
			t.Error(err)
		}
		took(t, 0, func() {
			if _, err := r.Stat(t.Context(), "f"); err != nil {
				t.Error(err)
			}
			if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
			get(t, r, "g", 7)
		})
	})
}

func TestAListingLeavesItsConnectionToItsConsumer(t *testing.T) {
	r := limit.New(memory.New(), limit.Options{Connections: 1})
	put(t, r, "a", 1)
	put(t, r, "b", 1)
	for range 3 {
		n := 0
		for e, err := range r.List(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			get(t, r, e.Name, 1)
			if n++; n == 3 {
				break
			}
		}
	}
	for _, err := range r.List(t.Context(), "a") {
		if !errors.Is(err, remote.ErrNotDir) {
			t.Error(err)
		}
	}
	get(t, r, "a", 1)
}

func TestACallThatFailsGivesItsConnectionBack(t *testing.T) {
	r := limit.New(memory.New(), limit.Options{Connections: 1})
	ctx := t.Context()
	for range 2 {
		if _, err := r.Open(ctx, "none", 0, -1); !errors.Is(err, remote.ErrNotExist) {
			t.Error(err)
		}
		if _, err := r.Stage(ctx, "none/f", remote.StageOptions{Owner: "o"}); !errors.Is(err, remote.ErrNotExist) {
			t.Error(err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := r.Stat(ended, "."); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
