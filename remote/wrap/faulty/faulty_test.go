package faulty_test

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
)

func TestRemoteWithoutFaults(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote { return faulty.New(memory.New()) })
}

func TestADecoratorInventsNoAbility(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote {
		return faulty.New(plain{memory.New()})
	})
}

// plain is a remote that can do nothing but what every remote can.
type plain struct{ remote.Remote }

func (p plain) Info() remote.Info {
	info := p.Remote.Info()
	info.Caps.Modes = false
	info.Caps.MoveDir = false
	return info
}

func put(r remote.Remote, name, content string) error {
	_, err := r.Put(context.Background(), name, strings.NewReader(content), remote.PutOptions{})
	return err
}

func read(r remote.Remote, name string) (string, error) {
	f, err := r.Open(context.Background(), name, 0, -1)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func list(r remote.Remote) (int, error) {
	n := 0
	for _, err := range r.List(context.Background(), ".") {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// calls makes each call once.
func calls(r *faulty.Remote) map[faulty.Op]func() error {
	ctx := context.Background()
	o := remote.StageOptions{Owner: "o"}
	stage := func(end func(s remote.Stage) error) func() error {
		return func() error {
			s, err := r.Stage(ctx, "f", o)
			if err != nil {
				return err
			}
			_, err = io.WriteString(s, "content")
			return errors.Join(err, end(s), s.Abort())
		}
	}
	return map[faulty.Op]func() error{
		faulty.Stat:       func() error { _, err := r.Stat(ctx, "f"); return err },
		faulty.List:       func() error { _, err := list(r); return err },
		faulty.Open:       func() error { _, err := read(r, "f"); return err },
		faulty.Read:       func() error { _, err := read(r, "f"); return err },
		faulty.Put:        func() error { return put(r, "f", "x") },
		faulty.Remove:     func() error { return r.Remove(ctx, "f") },
		faulty.Mkdir:      func() error { return r.Mkdir(ctx, "new") },
		faulty.Rmdir:      func() error { return r.Rmdir(ctx, "d") },
		faulty.Move:       func() error { return remote.Move(ctx, r, "f", "g") },
		faulty.Copy:       func() error { return remote.Copy(ctx, r, "f", "g") },
		faulty.SetModTime: func() error { return remote.SetModTime(ctx, r, "f", time.Now()) },
		faulty.SetMode:    func() error { return remote.SetMode(ctx, r, "f", 0o600) },
		faulty.Hash:       func() error { _, err := remote.Hash(ctx, r, "f", "md5"); return err },
		faulty.Usage:      func() error { _, err := remote.GetUsage(ctx, r); return err },
		faulty.Stage:      stage(func(remote.Stage) error { return nil }),
		faulty.Write:      stage(func(remote.Stage) error { return nil }),
		faulty.Commit:     stage(func(s remote.Stage) error { _, err := s.Commit(ctx, time.Time{}); return err }),
		faulty.Keep:       stage(remote.Stage.Keep),
		faulty.Abort:      stage(remote.Stage.Abort),
		faulty.Part:       func() error { _, err := r.Part(ctx, "part", "o"); return err },
		faulty.DropPart:   func() error { return r.DropPart(ctx, "part", "o") },
	}
}

// ready returns a remote on which each of calls succeeds.
func ready(t *testing.T) *faulty.Remote {
	t.Helper()
	r := faulty.New(memory.New())
	ctx := t.Context()
	err := errors.Join(put(r, "f", "content"), r.Mkdir(ctx, "d"))
	s, stageErr := r.Stage(ctx, "part", remote.StageOptions{Owner: "o"})
	if err = errors.Join(err, stageErr); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(s, "part")
	if err = errors.Join(err, s.Keep()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryCallCanFail(t *testing.T) {
	for op := range calls(ready(t)) {
		t.Run(string(op), func(t *testing.T) {
			r := ready(t)
			before := r.Calls(op)
			r.Inject(faulty.Fault{Op: op, Err: remote.ErrNoSpace})
			err := calls(r)[op]()
			if !errors.Is(err, remote.ErrNoSpace) || r.Injected() != 1 {
				t.Errorf("%v, %d injected", err, r.Injected())
			}
			if len(r.Swallowed()) != 1 || !r.Surfaced(err) || len(r.Swallowed()) != 0 {
				t.Errorf("%v is not known", err)
			}
			if r.Calls(op) == before {
				t.Error("the call was not counted")
			}
			r = ready(t)
			if err := calls(r)[op](); err != nil {
				t.Errorf("without a fault: %v", err)
			}
		})
	}
}

func TestSkipAndTimesChooseTheCalls(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Stat, Name: "f", Skip: 2, Times: 2})
	var got []bool
	for range 6 {
		_, err := r.Stat(t.Context(), "f")
		got = append(got, errors.Is(err, faulty.ErrInjected))
		if _, err := r.Stat(t.Context(), "d"); err != nil {
			t.Errorf("another name: %v", err)
		}
	}
	if want := [6]bool{2: true, 3: true}; [6]bool(got) != want {
		t.Errorf("failed: %v", got)
	}
	r.Inject(faulty.Fault{Times: -1})
	for range 3 {
		if err := r.Mkdir(t.Context(), "new"); !errors.Is(err, faulty.ErrInjected) {
			t.Errorf("for ever: %v", err)
		}
	}
	r.Heal()
	if err := r.Mkdir(t.Context(), "new"); err != nil {
		t.Errorf("healed: %v", err)
	}
}

func TestStreamsBreakOffAfterSomeBytes(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Read, After: 3})
	if got, err := read(r, "f"); got != "con" || !r.Surfaced(err) {
		t.Errorf("Read: %q, %v", got, err)
	}
	r.Inject(faulty.Fault{Op: faulty.Read, After: 100})
	if got, err := read(r, "f"); got != "content" || !r.Surfaced(err) {
		t.Errorf("Read behind the end: %q, %v", got, err)
	}
	r.Inject(faulty.Fault{Op: faulty.Put, After: 3})
	if err := put(r, "f", "other"); !r.Surfaced(err) {
		t.Errorf("Put: %v", err)
	}
	if got, err := read(r, "f"); got != "content" || err != nil {
		t.Errorf("after a Put that broke off: %q, %v", got, err)
	}
	r.Inject(faulty.Fault{Op: faulty.List, After: 1})
	if n, err := list(r); n != 1 || !r.Surfaced(err) {
		t.Errorf("List: %d, %v", n, err)
	}
	r.Inject(faulty.Fault{Op: faulty.Write, After: 4})
	s, err := r.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.(io.ReaderFrom).ReadFrom(strings.NewReader("content")); n != 4 || !r.Surfaced(err) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if err := s.Keep(); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Part(t.Context(), "g", "o"); err != nil || e.Size != 4 {
		t.Errorf("what arrived: %+v, %v", e, err)
	}
	if errs := r.Swallowed(); len(errs) != 0 {
		t.Error(errs)
	}
}

func TestALateFaultLosesTheAnswerOnly(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Put, Late: true})
	r.Inject(faulty.Fault{Op: faulty.Commit, Late: true})
	r.Inject(faulty.Fault{Op: faulty.Open, Late: true})
	r.Inject(faulty.Fault{Op: faulty.Stage, Late: true})
	if err := put(r, "f", "new"); !r.Surfaced(err) {
		t.Errorf("Put: %v", err)
	}
	if _, err := read(r, "f"); !r.Surfaced(err) {
		t.Errorf("Open: %v", err)
	}
	if got, err := read(r, "f"); got != "new" || err != nil {
		t.Errorf("after Put: %q, %v", got, err)
	}
	if err := calls(r)[faulty.Stage](); !r.Surfaced(err) {
		t.Errorf("Stage: %v", err)
	}
	if err := calls(r)[faulty.Commit](); !r.Surfaced(err) {
		t.Errorf("Commit: %v", err)
	}
	if got, err := read(r, "f"); got != "content" || err != nil {
		t.Errorf("after Commit: %q, %v", got, err)
	}
}

func TestABlockedCallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, op := range []faulty.Op{faulty.Stat, faulty.List, faulty.Put} {
			r := faulty.New(memory.New())
			r.Inject(faulty.Fault{Op: op, Block: true})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			start := time.Now()
			var err error
			switch op {
			case faulty.Stat:
				_, err = r.Stat(ctx, ".")
			case faulty.List:
				for _, err = range r.List(ctx, ".") {
				}
			case faulty.Put:
				_, err = r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
			}
			cancel()
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != time.Hour {
				t.Errorf("%s: %v after %v", op, err, took)
			}
			if r.Injected() != 0 {
				t.Errorf("%s: %d injected", op, r.Injected())
			}
		}
	})
}

func TestASlowCallTakesItsTimeAndSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ready(t)
		r.Inject(faulty.Fault{Times: -1, Delay: time.Minute, Slow: true})
		start := time.Now()
		if _, err := r.Stat(t.Context(), "f"); err != nil {
			t.Error(err)
		}
		if err := put(r, "g", "x"); err != nil {
			t.Error(err)
		}
		if n, err := list(r); n != 4 || err != nil {
			t.Errorf("List: %d, %v", n, err)
		}
		if took := time.Since(start); took != 3*time.Minute {
			t.Errorf("three calls took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Stat(ctx, "f"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that ends first: %v", err)
		}
		r.Heal()
		r.Inject(faulty.Fault{Op: faulty.Read, Delay: time.Second, Slow: true})
		start = time.Now()
		if got, err := read(r, "f"); got != "content" || err != nil || time.Since(start) < time.Second {
			t.Errorf("a slow reader: %q, %v after %v", got, err, time.Since(start))
		}
	})
}
