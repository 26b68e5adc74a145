package clustertest

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A sentence is what holds of every engine.
type sentence struct {
	name string
	test func(t *testing.T, l Lab)
}

// patience is how long something may take that has to come.
const patience = 20 * time.Second

// eventually calls f until it succeeds.
func eventually(t *testing.T, what string, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// expectError compares the error of a call.
func expectError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// A reader reads what is yielded while the test goes on.
type reader[T any] struct {
	what chan T
	end  chan error // has the error at the end
	stop context.CancelFunc
}

// read reads a sequence that begins with ctx until the test ends.
func read[T any](t *testing.T, begin func(ctx context.Context) func(func(T, error) bool)) *reader[T] {
	ctx, cancel := context.WithCancel(t.Context())
	r := &reader[T]{make(chan T, 1000), make(chan error, 1), cancel}
	go func() {
		var last error
		for x, err := range begin(ctx) {
			if last = err; err != nil {
				break
			}
			r.what <- x
		}
		r.end <- last
	}()
	t.Cleanup(func() { r.ended(t) })
	return r
}

// ended ends the reading, which has to end with an error.
func (r *reader[T]) ended(t *testing.T) {
	r.stop()
	select {
	case err := <-r.end:
		if err == nil {
			t.Error("a sequence ended without an error")
		}
		r.end <- err
	case <-time.After(patience):
		t.Error("a sequence goes on after its context has ended")
	}
}

// next returns what comes next.
func (r *reader[T]) next(t *testing.T) T {
	t.Helper()
	select {
	case x := <-r.what:
		return x
	case err := <-r.end:
		r.end <- err
		t.Fatalf("nothing comes any more: %v", err)
	case <-time.After(patience):
		t.Fatal("nothing has come")
	}
	panic("not reached")
}
