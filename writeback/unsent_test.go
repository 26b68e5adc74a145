package writeback

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

// Unsent is the files that were accepted long enough ago, as they are called now, until the remote
// has them. Each change of that is an edit.
func TestWhatIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, WriteBack: time.Hour})
		defer func() { b.stop() }()
		b.has("there", "old")
		edits := b.Edits()
		want := func(when string, next time.Duration, files ...string) {
			t.Helper()
			b.wantUnsent(when, next, files)
		}
		edited := func(what string) {
			t.Helper()
			now := b.Edits()
			if now == edits {
				t.Errorf("%s: no edit", what)
			}
			edits = now
		}
		want("at the beginning", 0)
		b.upload("a", "12")
		b.ok(b.SetModTime(t.Context(), "a", time.Unix(1e9, 0)))
		edited("accepted")
		time.Sleep(20 * time.Second)
		b.upload("there", "123")
		want("both are young", 40*time.Second)
		time.Sleep(40 * time.Second)
		edited("accepted")
		want("one is old", 20*time.Second, "a 2 1000000000")
		b.ok(b.SetModTime(t.Context(), "there", time.Unix(1e9, 0)))
		edited("a time is set")
		b.ok(b.Mkdir(t.Context(), "d"))
		b.ok(b.Move(t.Context(), "a", "d/a"))
		edited("renamed")
		time.Sleep(time.Minute)
		want("renamed", 0, "d/a 2 1000000000", "there 3 1000000000")
		b.restart()
		synctest.Wait() // it has looked for what was refused before
		want("after a restart", 0, "d/a 2 1000000000", "there 3 1000000000")
		edits = b.Edits()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: remote.ErrTooLarge})
		if err := b.Flush(t.Context(), "there"); err == nil {
			t.Error("nothing was refused")
		}
		edited("refused")
		want("one is refused", 0, "d/a 2 1000000000")
		b.ok(b.Flush(t.Context(), "."))
		edited("sent")
		want("all is sent", 0)
		b.upload("x", "1")
		b.ok(b.Remove(t.Context(), "x"))
		time.Sleep(time.Hour)
		want("removed", 0)
	})
}

// wantUnsent compares what has waited for a minute, as "name size time".
func (b *rig) wantUnsent(when string, next time.Duration, want []string) {
	b.t.Helper()
	var got []string
	at := b.Unsent(time.Minute, func(name string, size int64, modTime time.Time) {
		got = append(got, fmt.Sprintf("%s %d %d", name, size, modTime.Unix()))
	})
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: %q, want %q", when, got, want)
	}
	if at.IsZero() != (next == 0) || next > 0 && time.Until(at) != next {
		b.t.Errorf("%s: the next one is due in %v, want %v", when, time.Until(at), next)
	}
}
