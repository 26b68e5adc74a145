package cache

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// refuse stores a file that is then refused.
func refuse(t *testing.T, s *Store, name, text string) Record {
	t.Helper()
	r := store(t, s, name, text)
	if err := s.Fail(r.ID, errors.New("refused")); err != nil {
		t.Fatal(err)
	}
	return r
}

func add(t *testing.T, s *Store, kind Kind, name string) Record {
	t.Helper()
	r, err := s.Add(t.Context(), Record{Kind: kind, Name: name}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func update(t *testing.T, s *Store, r Record) Record {
	t.Helper()
	r, err := s.Update(t.Context(), r, Durable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newerThings are changes that a retry of what was refused as d/f must not undo.
var newerThings = map[string]func(t *testing.T, s *Store){
	"a content waits":                   func(t *testing.T, s *Store) { store(t, s, "d/f", "new") },
	"one spelled otherwise waits":       func(t *testing.T, s *Store) { store(t, s, "D/F", "new") },
	"a deletion waits":                  func(t *testing.T, s *Store) { add(t, s, Removed, "d/f") },
	"a directory of that name waits":    func(t *testing.T, s *Store) { add(t, s, Dir, "d/f") },
	"a file waits below":                func(t *testing.T, s *Store) { store(t, s, "d/f/g", "new") },
	"a directory waits below":           func(t *testing.T, s *Store) { add(t, s, Dir, "d/f/g") },
	"a file waits above":                func(t *testing.T, s *Store) { store(t, s, "d", "new") },
	"the deletion of what is above":     func(t *testing.T, s *Store) { add(t, s, Removed, "d") },
	"another content was refused, too":  func(t *testing.T, s *Store) { refuse(t, s, "d/f", "new") },
	"another content was sent":          func(t *testing.T, s *Store) { carriedOut(t, s, store(t, s, "d/f", "new")) },
	"another content was sent and kept": func(t *testing.T, s *Store) { kept(t, s, store(t, s, "d/f", "new")) },
	"it was deleted":                    func(t *testing.T, s *Store) { carriedOut(t, s, add(t, s, Removed, "d/f")) },
	"another content was deleted before it was sent": func(t *testing.T, s *Store) {
		if err := s.Drop(store(t, s, "d/f", "new").ID, Durable); err != nil {
			t.Fatal(err)
		}
	},
	"another content was renamed": func(t *testing.T, s *Store) {
		r := store(t, s, "d/f", "new")
		r.Name, r.Removes = "elsewhere", []string{"d/f"}
		update(t, s, r)
	},
	"another content was renamed that the remote never saw": func(t *testing.T, s *Store) {
		r := store(t, s, "d/f", "new")
		r.Name = "elsewhere"
		update(t, s, r)
	},
	"another content was renamed and sent": func(t *testing.T, s *Store) {
		r := store(t, s, "d/f", "new")
		r.Name, r.Removes = "elsewhere", []string{"d/f"}
		carriedOut(t, s, update(t, s, r))
	},
	"another content was renamed, refused and retried": func(t *testing.T, s *Store) {
		r := store(t, s, "d/f", "new")
		r.Name, r.Removes = "elsewhere", []string{"d/f"}
		r = update(t, s, r)
		if err := s.Fail(r.ID, errors.New("refused")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Retry(r.ID); err != nil {
			t.Fatal(err)
		}
	},
	"the name was used without the cache": func(t *testing.T, s *Store) {
		if err := s.MarkSuperseded("other", "d/f"); err != nil {
			t.Fatal(err)
		}
	},
	"the directory was used without the cache": func(t *testing.T, s *Store) {
		if err := s.MarkSuperseded("d"); err != nil {
			t.Fatal(err)
		}
	},
}

func carriedOut(t *testing.T, s *Store, r Record) {
	t.Helper()
	if err := s.Done(r.ID, Fingerprint{}, false); err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, s *Store, r Record) {
	t.Helper()
	if err := s.Done(r.ID, Fingerprint{Version: "v", Size: r.Size}, true); err != nil {
		t.Fatal(err)
	}
}

func TestARetryIsRefusedWhereSomethingNewerWouldBeUndone(t *testing.T) {
	for what, change := range newerThings {
		for _, restart := range []string{"", " before a restart"} {
			t.Run(what+restart, func(t *testing.T) {
				dir := t.TempDir()
				s := openReal(t, dir, Options{})
				old := refuse(t, s, "d/f", "old")
				change(t, s)
				if restart != "" {
					closeStore(t, s)
					s = openReal(t, dir, Options{})
				}
				defer closeStore(t, s)
				before := s.Pending()
				_, err := s.Retry(old.ID)
				if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "d/f") || !strings.Contains(err.Error(), "drop") {
					t.Errorf("retry: %v", err)
				}
				if after := s.Pending(); !slices.EqualFunc(before, after, func(a, b Record) bool { return a.ID == b.ID && a.Seq == b.Seq }) {
					t.Errorf("there wait %+v", after)
				}
				c, err := s.OpenLost(old.ID)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if got := readContent(t, c); got != "old" {
					t.Errorf("kept is %q", got)
				}
			})
		}
	}
}

func TestARetryIsNotRefusedBecauseOfOtherNames(t *testing.T) {
	for what, change := range map[string]func(t *testing.T, s *Store){
		"its directory waits":          func(t *testing.T, s *Store) { add(t, s, Dir, "d") },
		"a neighbour waits":            func(t *testing.T, s *Store) { store(t, s, "d/f2", "x") },
		"a neighbour was deleted":      func(t *testing.T, s *Store) { carriedOut(t, s, add(t, s, Removed, "d/f2")) },
		"its directory was made":       func(t *testing.T, s *Store) { carriedOut(t, s, add(t, s, Dir, "d")) },
		"a neighbour is used directly": func(t *testing.T, s *Store) { _ = s.MarkSuperseded("d/f2", "d/fold") },
	} {
		t.Run(what, func(t *testing.T) {
			s := openReal(t, t.TempDir(), Options{})
			defer closeStore(t, s)
			old := refuse(t, s, "d/f", "old")
			change(t, s)
			if _, err := s.Retry(old.ID); err != nil {
				t.Fatal(err)
			}
			if got := contentOf(t, s, old.ID); got != "old" {
				t.Errorf("the content is %q", got)
			}
		})
	}
}

func TestALostDirectoryIsMadeThoughFilesWaitInIt(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	dir := add(t, s, Dir, "d")
	if err := s.Fail(dir.ID, errors.New("refused")); err != nil {
		t.Fatal(err)
	}
	store(t, s, "d/f", "x")
	if _, err := s.Retry(dir.ID); err != nil {
		t.Error(err)
	}
}

// The names may be those of other files by now.
func TestARetryRemovesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	r := store(t, s, "a", "x")
	r.Name, r.Removes = "b", []string{"a"}
	r = update(t, s, r)
	if err := s.Fail(r.ID, errors.New("refused")); err != nil {
		t.Fatal(err)
	}
	kept(t, s, store(t, s, "a", "new"))
	again, err := s.Retry(r.ID)
	if err != nil || len(again.Removes) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	closeStore(t, s)
	s = openReal(t, dir, Options{})
	defer closeStore(t, s)
	if p := s.Pending(); len(p) != 1 || p[0].Name != "b" || len(p[0].Removes) != 0 {
		t.Errorf("there wait %+v", p)
	}
}

func TestOfSeveralRefusedOnesTheLatestCanBeRetried(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	first, second := refuse(t, s, "f", "1"), refuse(t, s, "f", "2")
	for range 2 { // in any order, and also when the later one waits
		if _, err := s.Retry(first.ID); !errors.Is(err, fs.ErrExist) {
			t.Errorf("retry of the first: %v", err)
		}
		if _, err := s.Retry(second.ID); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	if p := s.Pending(); len(p) != 1 || p[0].ID != second.ID {
		t.Errorf("there wait %+v", p)
	}
}

func TestLostTellsWhatWasSuperseded(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	refuse(t, s, "a", "old")
	refuse(t, s, "b", "old")
	carriedOut(t, s, store(t, s, "a", "new"))
	for range 2 {
		lost, err := s.Lost()
		if err != nil || len(lost) != 2 || !lost[0].Superseded || lost[1].Superseded || lost[0].Reason != "refused" {
			t.Errorf("lost: %+v, %v", lost, err)
		}
		closeStore(t, s)
		s = openReal(t, dir, Options{})
	}
	closeStore(t, s)
}
