package writeback

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote/wrap/faulty"
)

// The oldest change is the one that was accepted first and is not on the remote, also when it was
// replaced; after a restart what counts is its last content.
func TestTheOldestChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, WriteBack: time.Minute})
		defer func() { b.stop() }()
		want := func(when string, age time.Duration, waits bool) {
			t.Helper()
			at := b.Oldest()
			if at.IsZero() == waits || waits && time.Since(at).Round(time.Second) != age {
				t.Errorf("%s the oldest change is of %v, %v ago", when, at, time.Since(at))
			}
		}
		want("at the beginning", 0, false)
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: errNetwork, Times: 1000})
		b.upload("a", "first")
		time.Sleep(time.Hour)
		b.upload("b", "second")
		want("after two uploads", time.Hour, true)
		b.upload("a", "third")
		want("after the first was replaced", time.Hour, true)
		b.restart()
		time.Sleep(time.Minute)
		want("after a restart", time.Minute, true)
		b.faults.Heal()
		b.flush()
		want("at the end", 0, false)
	})
}
