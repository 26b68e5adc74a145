package intercept_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/intercept"
)

func TestContracts(t *testing.T) {
	remotetest.RunDecorator(t,
		func() remote.Remote { return memory.New() },
		func(r remote.Remote) remote.Remote {
			return intercept.New(r, func(ctx context.Context, c *intercept.Call) error { return c.Do(ctx) })
		})
}

// seen keeps the operations that pass by.
type seen struct{ ops []string }

func (s *seen) call(ctx context.Context, c *intercept.Call) error {
	s.ops = append(s.ops, string(c.Op)+" "+c.Name)
	return c.Do(ctx)
}

func (s *seen) compare(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.ops, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(s.ops, "\n"), strings.Join(want, "\n"))
	}
	s.ops = nil
}

func stage(t *testing.T, r *intercept.Remote) remote.Stage {
	t.Helper()
	s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
	if err == nil {
		_, err = io.WriteString(s, "content")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryCallIsIntercepted(t *testing.T) {
	var s seen
	r, ctx := intercept.New(memory.New(), s.call), t.Context()
	_, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
	errs := []error{err}
	_, err = r.Stat(ctx, "f")
	errs = append(errs, err)
	for _, err := range r.List(ctx, ".") {
		errs = append(errs, err)
	}
	f, err := r.Open(ctx, "f", 0, -1)
	errs = append(errs, err, f.Close())
	_, err = r.Hash(ctx, "f", "md5")
	errs = append(errs, err)
	_, err = r.Usage(ctx)
	errs = append(errs, err, r.SetModTime(ctx, "f", time.Now()), r.SetMode(ctx, "f", 0o600), r.Mkdir(ctx, "d"),
		r.Rmdir(ctx, "d"), r.Copy(ctx, "f", "g"), r.Move(ctx, "g", "h"), r.Remove(ctx, "h"), stage(t, r).Keep())
	_, err = r.Part(ctx, "f", "o")
	errs = append(errs, err, r.DropPart(ctx, "f", "o"))
	e, err := r.Stat(ctx, "f")
	errs = append(errs, err)
	if err := remote.RemoveVersion(ctx, r, "f", e); err != nil {
		t.Error(err)
	}
	if err := r.CheckTarget(ctx, "f"); err != nil && !errors.Is(err, remote.ErrUnsupported) {
		t.Error(err)
	}
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	s.compare(t, "put f", "stat f", "list .", "open f", "hash f", "usage .", "setmodtime f", "setmode f", "mkdir d",
		"rmdir d", "copy f", "move g", "remove h", "stage f", "keep f", "part f", "droppart f", "stat f", "remove f",
		"checktarget f")
}

func TestTheEndsOfAStageAreCallsUntilItHasEnded(t *testing.T) {
	for _, end := range []string{"publish", "keep", "discard"} {
		var all seen
		r := intercept.New(memory.New(), all.call)
		s := stage(t, r)
		cause := errors.New("the test ended it")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if _, err := s.Commit(ctx, time.Time{}); !errors.Is(err, cause) {
			t.Error(err)
		}
		endings := map[string]func() error{
			"publish": func() error { _, err := s.Commit(t.Context(), time.Time{}); return err },
			"keep":    s.Keep,
			"discard": s.Abort,
		}
		if err := endings[end](); err != nil {
			t.Error(err)
		}
		for _, again := range endings {
			if err := again(); err != nil {
				t.Error(err)
			}
		}
		all.compare(t, "stage f", "publish f", end+" f")
	}
}

// What an Interceptor keeps of a stage is there when that ends, and nowhere else.
func TestTheStateOfAStageIsItsOwn(t *testing.T) {
	begun := 0
	var found []any
	r := intercept.New(memory.New(), func(ctx context.Context, c *intercept.Call) error {
		if c.Op == intercept.Stage {
			begun++
			c.State = begun
		} else {
			found = append(found, c.State)
		}
		return c.Do(ctx)
	})
	first, second := stage(t, r), stage(t, r)
	_, statErr := r.Stat(t.Context(), ".")
	_, commitErr := second.Commit(t.Context(), time.Time{})
	if err := errors.Join(statErr, commitErr, first.Abort()); err != nil {
		t.Error(err)
	}
	if !slices.Equal(found, []any{nil, 2, 1}) {
		t.Errorf("%v", found)
	}
}

type closing struct {
	io.ReadCloser
	closed *bool
}

func (c closing) Close() error { *c.closed = true; return c.ReadCloser.Close() }

// aborting tells of its Abort.
type aborting struct {
	remote.Stage
	aborted *bool
}

func (a aborting) Abort() error { *a.aborted = true; return a.Stage.Abort() }

func TestACallThatFailsAfterwardsHasNoResult(t *testing.T) {
	failed := errors.New("failed")
	var closed, aborted bool
	m := memory.New()
	if _, err := m.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r := intercept.New(m, func(ctx context.Context, c *intercept.Call) error {
		if err := c.Do(ctx); err != nil {
			t.Error(err)
		}
		switch c.Op {
		case intercept.Open:
			c.Reader = closing{c.Reader, &closed}
		case intercept.Stage:
			c.Stage = aborting{c.Stage, &aborted}
		}
		return failed
	})
	if e, err := r.Stat(t.Context(), "f"); err != failed || e != (remote.Entry{}) {
		t.Errorf("%+v, %v", e, err)
	}
	if f, err := r.Open(t.Context(), "f", 0, -1); err != failed || f != nil || !closed {
		t.Errorf("%v, %v, closed: %v", f, err, closed)
	}
	if s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"}); err != failed || s != nil || !aborted {
		t.Errorf("%v, %v, aborted: %v", s, err, aborted)
	}
}

func TestTheConsumerOfAListingHasItsErrorOnce(t *testing.T) {
	failed := errors.New("failed")
	for name, around := range map[string]intercept.Interceptor{
		"refused": func(context.Context, *intercept.Call) error { return failed },
		"failed afterwards": func(ctx context.Context, c *intercept.Call) error {
			if err := c.Do(ctx); err != nil {
				t.Error(err)
			}
			return failed
		},
		"broken off": func(ctx context.Context, c *intercept.Call) error {
			yield := c.Yield
			c.Yield = func(remote.Entry, error) bool { yield(remote.Entry{}, failed); return false }
			return errors.Join(c.Do(ctx), failed)
		},
	} {
		m := memory.New()
		if err := m.Mkdir(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		var errs []error
		for _, err := range intercept.New(m, around).List(t.Context(), ".") {
			if err != nil {
				errs = append(errs, err)
			}
		}
		if !slices.Equal(errs, []error{failed}) {
			t.Errorf("%s: %v", name, errs)
		}
		for range intercept.New(m, around).List(t.Context(), ".") {
			break // and it is not told any more
		}
	}
}
