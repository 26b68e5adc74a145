package retry_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
)

func TestContracts(t *testing.T) {
	remotetest.RunDecorator(t,
		func() remote.Remote { return memory.New() },
		func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) })
}

// Every other call fails first, some though they did their work: nobody sees anything of it.
func TestContractsOnABadNetwork(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote {
		faults := faulty.New(memory.New())
		for _, f := range []faulty.Fault{
			{Op: faulty.Stat}, {Op: faulty.List}, {Op: faulty.Open}, {Op: faulty.Read}, {Op: faulty.Put},
			{Op: faulty.Remove, Late: true}, {Op: faulty.Mkdir, Late: true}, {Op: faulty.Rmdir, Late: true},
			{Op: faulty.Move, Late: true}, {Op: faulty.Copy}, {Op: faulty.SetModTime, Late: true}, {Op: faulty.SetMode},
			{Op: faulty.Hash}, {Op: faulty.Usage}, {Op: faulty.Commit}, {Op: faulty.Part}, {Op: faulty.DropPart, Late: true},
		} {
			for i := range 50 {
				f.Skip = i + 1 // of the calls that no fault before it meets
				faults.Inject(f)
			}
		}
		return retry.New(faults, retry.Options{Attempts: 40, Min: time.Nanosecond, Max: time.Nanosecond})
	})
}

// world is a remote with faults below one that repeats, in virtual time.
type world struct {
	*testing.T
	faults *faulty.Remote
	r      *retry.Remote
}

func inWorld(t *testing.T, o retry.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		faults := faulty.New(memory.New())
		w := &world{t, faults, retry.New(faults, o)}
		w.put("f", "content")
		if err := w.r.Mkdir(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		test(w)
	})
}

func (w *world) put(name, content string) {
	w.Helper()
	if _, err := w.faults.Put(w.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(name string) string {
	w.Helper()
	f, err := w.faults.Open(w.Context(), name, 0, -1)
	if err != nil {
		w.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

// calls makes each call that is repeated, and none that is not.
func (w *world) calls() map[faulty.Op]func() error {
	ctx := w.Context()
	return map[faulty.Op]func() error{
		faulty.Stat: func() error { _, err := w.r.Stat(ctx, "f"); return err },
		faulty.List: func() error {
			for _, err := range w.r.List(ctx, ".") {
				if err != nil {
					return err
				}
			}
			return nil
		},
		faulty.Open:       func() error { _, err := w.r.Open(ctx, "f", 0, -1); return err },
		faulty.Remove:     func() error { return w.r.Remove(ctx, "f") },
		faulty.Mkdir:      func() error { return w.r.Mkdir(ctx, "new") },
		faulty.Rmdir:      func() error { return w.r.Rmdir(ctx, "d") },
		faulty.Move:       func() error { return w.r.Move(ctx, "f", "g") },
		faulty.Copy:       func() error { return w.r.Copy(ctx, "f", "g") },
		faulty.SetModTime: func() error { return w.r.SetModTime(ctx, "f", time.Now()) },
		faulty.SetMode:    func() error { return w.r.SetMode(ctx, "f", 0o600) },
		faulty.Hash:       func() error { _, err := w.r.Hash(ctx, "f", "md5"); return err },
		faulty.Usage:      func() error { _, err := w.r.Usage(ctx); return err },
		faulty.Stage: func() error {
			s, err := w.r.Stage(ctx, "f", remote.StageOptions{Owner: "o"})
			if err != nil {
				return err
			}
			return s.Abort()
		},
		faulty.Commit: func() error {
			s, err := w.r.Stage(ctx, "f", remote.StageOptions{Owner: "o"})
			if err != nil {
				return err
			}
			_, err = s.Commit(ctx, time.Time{})
			return err
		},
		faulty.Part:     func() error { _, err := w.r.Part(ctx, "part", "o"); return err },
		faulty.DropPart: func() error { return w.r.DropPart(ctx, "part", "o") },
	}
}

// keepPart leaves an unfinished upload of "part".
func (w *world) keepPart() {
	w.Helper()
	s, err := w.faults.Stage(w.Context(), "part", remote.StageOptions{Owner: "o"})
	if err == nil {
		_, err = io.WriteString(s, "part")
	}
	if err == nil {
		err = s.Keep()
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestACallIsRepeatedUntilItSucceeds(t *testing.T) {
	for _, late := range []bool{false, true} {
		inWorld(t, retry.Options{}, func(w *world) {
			ops := w.calls()
			for op, call := range ops {
				w.put("f", "content")
				w.keepPart()
				_ = w.faults.Mkdir(w.Context(), "d")
				before := w.faults.Calls(op)
				// A stage that was published cannot be published again, nor a listing begin again
				// after its last entry.
				lost := late && op != faulty.Commit && op != faulty.List
				w.faults.Inject(faulty.Fault{Op: op, Times: 3, Late: lost})
				if err := call(); err != nil {
					w.Errorf("%s, late = %v: %v", op, late, err)
				}
				least := 2
				if late && (op == faulty.Remove || op == faulty.Rmdir || op == faulty.Move) {
					least = 1 // it was done
				}
				if got := w.faults.Calls(op) - before; got < least || got > 5 {
					w.Errorf("%s, late = %v: %d calls", op, late, got)
				}
				w.faults.Heal()
			}
		})
	}
}

func TestTheLastAttemptSurfaces(t *testing.T) {
	inWorld(t, retry.Options{Attempts: 4}, func(w *world) {
		for op, call := range w.calls() {
			before := w.faults.Calls(op)
			w.faults.Inject(faulty.Fault{Op: op, Times: -1})
			err := call()
			if !errors.Is(err, faulty.ErrInjected) || !strings.Contains(err.Error(), "after 4 attempts") {
				w.Errorf("%s: %v", op, err)
			}
			if got := w.faults.Calls(op) - before; got != 4 {
				w.Errorf("%s: %d calls", op, got)
			}
			w.faults.Heal()
		}
	})
}

func TestAnAnswerIsNotRepeated(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		for op, call := range w.calls() {
			before := w.faults.Calls(op)
			w.faults.Inject(faulty.Fault{Op: op, Err: remote.ErrQuota})
			if err := call(); !errors.Is(err, remote.ErrQuota) {
				w.Errorf("%s: %v", op, err)
			}
			if got := w.faults.Calls(op) - before; got != 1 {
				w.Errorf("%s: %d calls", op, got)
			}
		}
	})
}

func TestTheWaitDoublesAndIsShortenedAtRandom(t *testing.T) {
	o := retry.Options{Attempts: 8, Min: time.Second, Max: 10 * time.Second}
	inWorld(t, o, func(w *world) {
		lengths := map[time.Duration]bool{}
		for range 20 {
			w.faults.Inject(faulty.Fault{Op: faulty.Stat, Times: 7})
			start := time.Now()
			if _, err := w.r.Stat(w.Context(), "f"); err != nil {
				w.Fatal(err)
			}
			took := time.Since(start)
			lengths[took] = true
			const most = (1 + 2 + 4 + 8 + 10 + 10 + 10) * time.Second
			if took > most || took < most/2 {
				w.Errorf("seven waits took %v, most is %v", took, most)
			}
		}
		if len(lengths) < 2 {
			w.Error("the waits are always the same")
		}
	})
}

func TestTheContextEndsAWait(t *testing.T) {
	inWorld(t, retry.Options{Min: time.Hour, Max: time.Hour}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Stat, Times: -1})
		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(w.Context(), time.Second, cause)
		defer cancel()
		start := time.Now()
		_, err := w.r.Stat(ctx, "f")
		if !errors.Is(err, cause) || !w.faults.Surfaced(err) {
			w.Errorf("Stat: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			w.Errorf("it took %v", took)
		}
	})
}

func TestAListingThatHasBegunIsNotRepeated(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.List, After: 1})
		n := 0
		var last error
		for _, err := range w.r.List(w.Context(), ".") {
			n++
			last = err
		}
		if n != 2 || !w.faults.Surfaced(last) || w.faults.Calls(faulty.List) != 1 {
			w.Errorf("%d entries, %v, %d calls", n, last, w.faults.Calls(faulty.List))
		}
		for range w.r.List(w.Context(), ".") {
			break
		}
	})
}

func TestARepetitionDoesNotTakeAnotherForItsOwnWork(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		ctx := w.Context()
		// The first call failed before it did anything: there is nothing to move, though the new
		// name exists.
		w.put("g", "other")
		w.faults.Inject(faulty.Fault{Op: faulty.Move})
		if err := w.r.Move(ctx, "f", "none/f"); !errors.Is(err, remote.ErrNotExist) {
			w.Errorf("Move to nowhere: %v", err)
		}
		w.faults.Inject(faulty.Fault{Op: faulty.Mkdir})
		if err := w.r.Mkdir(ctx, "f"); !errors.Is(err, remote.ErrExist) {
			w.Errorf("Mkdir over a file: %v", err)
		}
		w.faults.Inject(faulty.Fault{Op: faulty.Move})
		if err := w.r.Move(ctx, "d", "f"); !errors.Is(err, remote.ErrExist) {
			w.Errorf("Move of a directory over a file: %v", err)
		}
	})
}

func TestPermanentErrorsAreKnown(t *testing.T) {
	if remote.Permanent(io.ErrUnexpectedEOF) || remote.Permanent(context.DeadlineExceeded) {
		t.Error("a failure on the way is taken for an answer")
	}
	if !remote.Permanent(context.Canceled) || !remote.Permanent(remote.ErrBadName) {
		t.Error("an answer is not known")
	}
}

// Whoever decides how many calls there are learns of each that is made again.
func TestRepetitionsAreReported(t *testing.T) {
	inWorld(t, retry.Options{Attempts: 3}, func(w *world) {
		n := 0
		ctx := remote.WithCongested(w.Context(), func() { n++ })
		w.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 2})
		if _, err := w.r.Put(ctx, "g", strings.NewReader("x"), remote.PutOptions{}); err != nil || n != 2 {
			w.Errorf("%d repetitions are reported, want 2: %v", n, err)
		}
		if _, err := w.r.Stat(ctx, "missing"); !errors.Is(err, remote.ErrNotExist) || n != 2 {
			w.Errorf("an answer is reported, %d: %v", n, err)
		}
	})
}
