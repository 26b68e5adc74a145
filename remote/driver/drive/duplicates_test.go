package drive_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// at is a time some minutes after another one.
func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

func TestWhichOfSeveralFilesOfOneNameCounts(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	for i, content := range []string{"middle", "new", "old"} {
		s.Created(s.AddFile(s.Root, "f", content), at([]int{2, 3, 1}[i]))
	}
	for i, inside := range []string{"young", "old"} {
		id := s.AddFolder(s.Root, "d")
		s.AddFile(id, inside, "x")
		s.Created(id, at(2-i))
	}
	s.Created(s.AddFile(s.Root, "d", "a file that came later"), at(5))
	s.Created(s.AddFile(s.Root, "F", "another name"), at(9))
	names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	if got := strings.Join(names, " "); err != nil || got != "d f F" && got != "d F f" || len(omitted) != 4 {
		t.Errorf("%q, left out %q, %v", names, omitted, err)
	}
	if get(t, r, "f") != "new" || get(t, r, "d/old") != "x" {
		t.Error("another one is read than is shown")
	}
	put(t, r, "f", "newer")
	if got := s.Contents(s.Root); !strings.Contains(got, "f=middle") || !strings.Contains(got, "f=newer") || !strings.Contains(got, "f=old") {
		t.Errorf("another one is replaced than is shown: %s", got)
	}
	for _, want := range []string{"middle", "old"} {
		if err := r.Remove(t.Context(), "f"); err != nil || get(t, r, "f") != want {
			t.Errorf("%v, %s", err, get(t, r, "f"))
		}
	}
}

// Two programs that make one name at once see nothing of each other's locks.
func TestTwoProgramsDoNotLeaveTwoOfOneName(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	others := []remote.Remote{r}
	for range 3 {
		others = append(others, opened(t, options(s.Addr)))
	}
	for round := range 10 {
		dir, file := "d"+strings.Repeat("x", round), "f"+strings.Repeat("x", round)
		var all sync.WaitGroup
		made := make(chan string, len(others))
		for _, other := range others {
			all.Go(func() {
				switch err := other.Mkdir(t.Context(), dir); {
				case err == nil:
					made <- dir
				case !errors.Is(err, remote.ErrExist):
					t.Error(err)
				}
				put(t, other, file, "content")
			})
		}
		all.Wait()
		if len(made) != 1 {
			t.Errorf("%d made %s", len(made), dir)
		}
		if got := " " + s.Contents(s.Root) + " "; strings.Count(got, " "+dir+"/ ") != 1 || strings.Count(got, " "+file+"=content ") != 1 {
			t.Errorf("there are %s", got)
		}
	}
}

// A reader sees the old content or the new one, whichever of the two files is the newer one, and
// never the old one after the new one, also when the name is taken from that.
func TestARenameOverAFileShowsOneOfThem(t *testing.T) {
	t.Parallel()
	for _, takeAway := range []func(r remote.Remote) error{
		func(r remote.Remote) error { return r.Remove(t.Context(), "to") },
		func(r remote.Remote) error { return remote.Move(t.Context(), r, "to", "elsewhere") },
	} {
		for i := range 4 {
			newer, fails := []string{"from", "to"}[i%2], i > 1
			s, r := start(t)
			other := opened(t, options(s.Addr))
			put(t, r, "from", "new")
			put(t, r, "to", "old")
			s.Created(s.ID(s.Root, newer), time.Now().Add(time.Hour))
			changed := false
			s.Hook(func(q *http.Request) {
				if q.Method != http.MethodPatch {
					return
				}
				if changed { // the second one takes the old file away
					s.Hook(nil)
					if got := get(t, other, "to"); got != "new" {
						t.Errorf("%s is newer: before the old file is gone it is %q", newer, got)
					}
					if fails {
						s.Refuse(1, 403, "insufficientFilePermissions", 0)
					}
				}
				changed = true
			})
			err := r.Move(t.Context(), "from", "to")
			if err != nil || get(t, other, "to") != "new" {
				t.Errorf("%v, %q", err, get(t, other, "to"))
			}
			if _, err := other.Stat(t.Context(), "from"); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("the old name: %v", err)
			}
			if err := takeAway(r); err != nil {
				t.Error(err)
			}
			if _, err := other.Stat(t.Context(), "to"); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("what was replaced comes back: %v", err)
			}
		}
	}
}
