package count_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/count"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
)

// told notes what an Observer is told.
type told struct {
	mu       sync.Mutex
	calls    []string
	up, down int64
}

func (o *told) Called(method, result string, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if took < 0 {
		result += " in no time"
	}
	o.calls = append(o.calls, method+" "+result)
}

func (o *told) Moved(up, down int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up, o.down = o.up+up, o.down+down
}

func TestAnObserverIsToldOfEveryCall(t *testing.T) {
	o, below := &told{}, faulty.New(memory.New())
	r := count.Observed(below, o)
	ctx := t.Context()
	put(t, r, "f", "content")
	if _, err := get(r, "f"); err != nil {
		t.Error(err)
	}
	_, missing := r.Stat(ctx, "none")
	exists := r.Mkdir(ctx, "f")
	below.Inject(faulty.Fault{Op: faulty.Stat})
	_, fails := r.Stat(ctx, "f")
	if missing == nil || exists == nil || fails == nil {
		t.Errorf("%v, %v, %v", missing, exists, fails)
	}
	below.Inject(faulty.Fault{Op: faulty.Read, After: 2})
	f, err := r.Open(ctx, "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	_, broken := io.ReadAll(f)
	f.Close()
	if broken == nil {
		t.Error("Read does not fail")
	}
	if _, err := stage(t, r, "g", "abc").Commit(ctx, time.Time{}); err != nil {
		t.Error(err)
	}
	want := []string{
		"put ok", "open ok", "stat notfound", "mkdir error", "stat retry", "open retry", "stage ok", "publish ok",
	}
	if !slices.Equal(o.calls, want) {
		t.Errorf("told of %q, not of %q", o.calls, want)
	}
	if o.up != 7+3 || o.down != 7+2 {
		t.Errorf("told of %d bytes up, %d down", o.up, o.down)
	}
}

// Each attempt is a call, and what is repeated is told besides.
func TestRepetitionsAreTold(t *testing.T) {
	o, below, repeated := &told{}, faulty.New(memory.New()), 0
	r := retry.New(count.Observed(below, o), retry.Options{Attempts: 3, Min: time.Nanosecond, Max: time.Nanosecond, Repeated: func() { repeated++ }})
	for range 2 {
		below.Inject(faulty.Fault{Op: faulty.Stat})
	}
	_, err := r.Stat(t.Context(), ".")
	if got := strings.Join(o.calls, ", "); err != nil || repeated != 2 || got != "stat retry, stat retry, stat ok" {
		t.Errorf("%v, %d repetitions, %s", err, repeated, got)
	}
	_, err = r.Stat(t.Context(), "none")
	if !errors.Is(err, remote.ErrNotExist) || repeated != 2 || fmt.Sprint(len(o.calls)) != "4" {
		t.Errorf("an answer was repeated: %v, %d, %q", err, repeated, o.calls)
	}
}
