package cache

import (
	"slices"
	"testing"

	"ferry/disk/disktest"
)

func doubtNames(s *Store) (names []string) {
	for _, d := range s.Doubts() {
		names = append(names, d.Names...)
	}
	slices.Sort(names)
	return names
}

func TestWhatWasAskedAndNotAnsweredIsInDoubt(t *testing.T) {
	for _, loss := range []struct {
		name string
		disktest.Loss
		want []string
	}{
		{"the process dies", disktest.Nothing(), []string{"asked", "asked too", "unanswered"}},
		{"the power fails", disktest.Everything(), []string{"unanswered"}},
	} {
		t.Run(loss.name, func(t *testing.T) {
			d := disktest.New()
			s, err := Open(d, Options{})
			if err != nil {
				t.Fatal(err)
			}
			begin := func(seq uint64, names ...string) *Request {
				t.Helper()
				r, err := s.NoteRequest(seq, names...)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			if err := begin(1, "answered").Answered(); err != nil {
				t.Fatal(err)
			}
			begin(2, "asked", "asked too")
			doubt, err := begin(3, "unanswered").Unanswered()
			if err != nil || doubt.Seq != 3 || !slices.Equal(doubt.Names, []string{"unanswered"}) {
				t.Fatalf("%+v, %v", doubt, err)
			}
			next := d.Restart(loss.Loss)
			_ = s.Close()
			s, err = Open(next, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := doubtNames(s); !slices.Equal(got, loss.want) {
				t.Fatalf("in doubt are %q, want %q", got, loss.want)
			}
			for _, d := range s.Doubts() {
				if err := s.ForgetDoubt(d.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Notes are not synced: after a loss of power whatever waits may have been asked.
func TestAfterALossOfPowerAllThatWaitsIsInDoubt(t *testing.T) {
	d := disktest.New()
	s, err := Open(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := s.Add(t.Context(), Record{Kind: Removed, Name: name}, Durable); err != nil {
			t.Fatal(err)
		}
	}
	next := d.Restart(disktest.Everything())
	_ = s.Close()
	if s, err = Open(next, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := doubtNames(s); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("in doubt are %q", got)
	}
}
