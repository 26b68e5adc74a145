package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// doubted returns a context that counts what is reported as not answered.
func doubted(ctx context.Context) (context.Context, *int) {
	n := new(int)
	var mu sync.Mutex
	return remote.WithUnanswered(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}), n
}

// A changeCall makes a change, and says what is seen of it.
type changeCall struct {
	call func(ctx context.Context, r *faulty.Remote) error
	made func(r *faulty.Remote) bool
}

func changeCalls() map[faulty.Op]changeCall {
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	holds := func(name, content string) func(r *faulty.Remote) bool {
		return func(r *faulty.Remote) bool {
			got, err := read(r, name)
			return err == nil && got == content
		}
	}
	is := func(name string, test func(e remote.Entry, err error) bool) func(r *faulty.Remote) bool {
		return func(r *faulty.Remote) bool {
			e, err := r.Stat(context.Background(), name)
			return test(e, err)
		}
	}
	gone := func(_ remote.Entry, err error) bool { return errors.Is(err, remote.ErrNotExist) }
	return map[faulty.Op]changeCall{
		faulty.Put: {func(ctx context.Context, r *faulty.Remote) error {
			_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
			return err
		}, holds("f", "new")},
		faulty.Commit: {func(ctx context.Context, r *faulty.Remote) error {
			s, err := r.Stage(ctx, "f", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: remote.AtEnd})
			if err != nil {
				return err
			}
			if _, err := io.WriteString(s, " and more"); err != nil {
				return err
			}
			_, err = s.Commit(ctx, at)
			return errors.Join(err, s.Abort())
		}, holds("f", "content and more")},
		faulty.Remove: {func(ctx context.Context, r *faulty.Remote) error { return r.Remove(ctx, "f") }, is("f", gone)},
		faulty.Rmdir:  {func(ctx context.Context, r *faulty.Remote) error { return r.Rmdir(ctx, "d") }, is("d", gone)},
		faulty.Mkdir: {func(ctx context.Context, r *faulty.Remote) error { return r.Mkdir(ctx, "new") },
			is("new", func(e remote.Entry, _ error) bool { return e.Dir })},
		faulty.Move: {func(ctx context.Context, r *faulty.Remote) error { return r.Move(ctx, "f", "g") }, is("f", gone)},
		faulty.Copy: {func(ctx context.Context, r *faulty.Remote) error { return r.Copy(ctx, "f", "g") }, holds("g", "content")},
		faulty.SetModTime: {func(ctx context.Context, r *faulty.Remote) error { return r.SetModTime(ctx, "f", at) },
			is("f", func(e remote.Entry, _ error) bool { return e.ModTime.Equal(at) })},
		faulty.SetMode: {func(ctx context.Context, r *faulty.Remote) error { return r.SetMode(ctx, "f", 0o600) },
			is("f", func(e remote.Entry, _ error) bool { return e.Mode == 0o600 })},
	}
}

func TestEveryChangeCanBeLeftInDoubt(t *testing.T) {
	for op, c := range changeCalls() {
		for how, f := range map[string]faulty.Fault{
			"fails":     {},
			"late":      {Late: true},
			"lost":      {Lost: true},
			"delayed":   {Delayed: true},
			"for while": {Delayed: true, Until: time.Minute},
		} {
			t.Run(string(op)+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := ready(t)
					f.Op = op
					r.Inject(f)
					ctx, doubts := doubted(t.Context())
					if err := c.call(ctx, r); !r.Surfaced(err) {
						t.Errorf("the call: %v", err)
					}
					if want := how != "fails"; (*doubts > 0) != want {
						t.Errorf("%d doubts", *doubts)
					}
					if made := c.made(r); made != f.Late {
						t.Errorf("made at once: %v", made)
					}
					wait := f.Until - time.Nanosecond
					if wait > 0 {
						time.Sleep(wait)
						synctest.Wait()
						if c.made(r) {
							t.Error("made too early")
						}
						time.Sleep(time.Nanosecond)
						synctest.Wait()
					}
					if f.Delayed && f.Until == 0 && (r.Underway() != 1 || r.Deliver() != 1) {
						t.Error("nothing was under way")
					}
					if made := c.made(r); made != (f.Late || f.Delayed) {
						t.Errorf("made in the end: %v", made)
					}
					if r.Underway() != 0 || r.Deliver() != 0 {
						t.Error("something is under way still")
					}
				})
			})
		}
	}
}

func TestWhatIsDelayedOvertakesNothingAndArrivesLast(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Put, Delayed: true})
	r.Inject(faulty.Fault{Op: faulty.Remove, Delayed: true})
	if err := put(r, "f", "old"); !r.Surfaced(err) {
		t.Fatal(err)
	}
	if err := put(r, "f", "newer"); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(t.Context(), "g"); !r.Surfaced(err) {
		t.Fatal(err)
	}
	if err := put(r, "g", "stored meanwhile"); err != nil {
		t.Fatal(err)
	}
	if n := r.Deliver(); n != 2 {
		t.Errorf("%d were under way", n)
	}
	if got, err := read(r, "f"); got != "old" || err != nil {
		t.Errorf("the late Put: %q, %v", got, err)
	}
	if _, err := read(r, "g"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the late Remove: %v", err)
	}
}

// A stage that was published once more is published again by the request that was late, as an
// object is.
func TestALatePublishOverwritesWhatCameAfterIt(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Commit, Delayed: true})
	s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "published"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), time.Time{}); !r.Surfaced(err) {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := put(r, "f", "newer"); err != nil {
		t.Fatal(err)
	}
	r.Deliver()
	if got, err := read(r, "f"); got != "published" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// What a part holds is not known: such a stage itself is under way, and its end by the caller does
// nothing.
func TestALatePublishOfAPart(t *testing.T) {
	r := ready(t)
	r.Inject(faulty.Fault{Op: faulty.Commit, Delayed: true})
	s, err := r.Stage(t.Context(), "part", remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: remote.AtEnd})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), time.Time{}); !r.Surfaced(err) {
		t.Fatal(err)
	}
	if err := s.Abort(); err != nil {
		t.Fatal(err)
	}
	r.Deliver()
	if got, err := read(r, "part"); got != "part" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAHeldAnswerIsWaitedForAlsoAfterTheContext(t *testing.T) {
	for _, delay := range []time.Duration{time.Second, 10 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			for op, c := range changeCalls() {
				r := ready(t)
				r.Inject(faulty.Fault{Op: op, Delay: delay, Held: true})
				ctx, doubts := doubted(t.Context())
				ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
				start := time.Now()
				err := c.call(ctx, r)
				cancel()
				took := time.Since(start)
				if answered := delay < 5*time.Second+remote.AnswerTime; answered && (took != delay || *doubts != 0) ||
					!answered && (took != 5*time.Second+remote.AnswerTime || *doubts == 0 || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("%s: %v after %v, %d doubts", op, err, took, *doubts)
				}
			}
		})
	}
}

// What a seed decides, it decides again, whatever order the names come in.
func TestOddsDependOnTheSeedAlone(t *testing.T) {
	odds := faulty.Odds{
		Unsent: 0.1, Lost: 0.1, Late: 0.1, Delayed: 0.2, Held: 0.1, Until: time.Hour, Wait: time.Second,
	}
	history := func(t *testing.T, seed uint64, backwards bool) (log map[string]string, failed int) {
		odds.Seed = seed
		r := faulty.New(memory.New())
		r.Roll(odds)
		log = map[string]string{}
		for i := range 100 {
			name := fmt.Sprint("f", i)
			if backwards {
				name = fmt.Sprint("f", 99-i)
			}
			ctx, doubts := doubted(t.Context())
			start := time.Now()
			_, err := r.Put(ctx, name, strings.NewReader("x"), remote.PutOptions{})
			if err != nil {
				failed++
			}
			_, there := read(r, name)
			log[name] = fmt.Sprint(err, " ", *doubts, " ", there == nil, " ", time.Since(start))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for i := range 100 {
			name := fmt.Sprint("f", i)
			_, there := read(r, name)
			log[name] += fmt.Sprint(there == nil)
		}
		if r.Underway() != 0 {
			t.Errorf("%d changes never arrived", r.Underway())
		}
		return log, failed
	}
	synctest.Test(t, func(t *testing.T) {
		first, failed := history(t, 7, false)
		if failed < 30 || failed > 70 {
			t.Errorf("%d of 100 failed, of 50 that should", failed)
		}
		again, _ := history(t, 7, true)
		other, _ := history(t, 8, false)
		same := 0
		for name, what := range first {
			if again[name] != what {
				t.Errorf("%s: %s, then %s", name, what, again[name])
			}
			if other[name] == what {
				same++
			}
		}
		if same > 60 {
			t.Errorf("another seed does the same to %d names of 100", same)
		}
	})
}

func TestOddsEndWithHeal(t *testing.T) {
	r := ready(t)
	r.Roll(faulty.Odds{Delayed: 1})
	if err := put(r, "f", "new"); !r.Surfaced(err) {
		t.Fatal(err)
	}
	r.Heal()
	if err := put(r, "f", "newer"); err != nil {
		t.Fatal(err)
	}
	if got, err := read(r, "f"); got != "newer" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if r.Deliver() != 1 {
		t.Error("what was under way is gone")
	}
}
