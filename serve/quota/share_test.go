package quota

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"ferry/events"
)

type recorder struct{ got []string }

func (r *recorder) Record(_ context.Context, e *events.Event) error {
	r.got = append(r.got, fmt.Sprintf("%v %s %s of %s: %d of %d", e.Kind, e.User, e.Argument, e.Cause, e.Bytes, e.Size))
	return nil
}

func TestSharesOfTheLimitsAreRecordedOnce(t *testing.T) {
	r := &recorder{}
	s := NewStore(t.TempDir())
	s.Events = events.New(events.Subscription{Kinds: events.Of(events.Quota), Listener: r})
	f := counted(t, s, newTree(t), Limits{Bytes: 100, Files: 10})
	for _, step := range []struct {
		what string
		do   func() error
		want []string
	}{
		{"little", func() error { return put(f, "a", 0, 59, false) }, nil},
		{"the first share", func() error { return put(f, "b", 0, 1, false) }, []string{"quota bob 0.6 of bytes: 60 of 100"}},
		{"more of it", func() error { return put(f, "b", 0, 20, false) }, nil},
		{"two at once", func() error { return put(f, "c", 0, 21, false) }, []string{"quota bob 1 of bytes: 100 of 100"}},
		{"less", func() error { return f.Remove(t.Context(), "c") }, nil},
		{"as much again", func() error { return put(f, "c", 0, 11, false) }, []string{"quota bob 0.9 of bytes: 90 of 100"}},
		{"much less", func() error { return put(f, "a", 0, 0, false) }, nil},
		{"files", func() error {
			for i := range 3 {
				if err := put(f, fmt.Sprint(i), 0, 0, false); err != nil {
					return err
				}
			}
			return nil
		}, []string{"quota bob 0.6 of files: 6 of 10"}},
	} {
		r.got = nil
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if !slices.Equal(r.got, step.want) {
			t.Errorf("%s: recorded %q, not %q", step.what, r.got, step.want)
		}
	}
}

func TestSharesThatWereReachedBeforeAreNotRecorded(t *testing.T) {
	dir := t.TempDir()
	if err := NewStore(dir).Set("bob", Usage{Bytes: 70, Files: 1}); err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	s := NewStore(dir)
	s.Events = events.New(events.Subscription{Kinds: events.All, Listener: r})
	f := counted(t, s, newTree(t), Limits{Bytes: 100})
	if err := put(f, "a", 0, 1, false); err != nil {
		t.Fatal(err)
	}
	if len(r.got) > 0 {
		t.Errorf("recorded %q", r.got)
	}
}
