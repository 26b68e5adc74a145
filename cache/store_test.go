package cache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/disk"
)

// openReal returns a Store on a directory of its own.
func openReal(t *testing.T, dir string, o Options) *Store {
	t.Helper()
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// store commits a file.
func store(t *testing.T, s *Store, name, text string) Record {
	t.Helper()
	d, err := s.Create(t.Context(), CreateOptions{Name: name, Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(d, text); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: name}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func contentOf(t *testing.T, s *Store, id string) string {
	t.Helper()
	c, err := s.OpenContent(id)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return readContent(t, c)
}

func readContent(t *testing.T, c *Content) string {
	t.Helper()
	r, err := c.Reader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	section, err := io.ReadAll(c.Section())
	if err != nil {
		t.Fatal(err)
	}
	if string(section) != string(text) {
		t.Errorf("the section has %q, the reader %q", section, text)
	}
	return string(text)
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasCommittedIsThereAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	modTime := time.Date(2001, 2, 3, 4, 5, 6, 789, time.UTC)
	first := store(t, s, "a/b", "hello")
	removed, err := s.Add(t.Context(), Record{Kind: Removed, Name: "gone", Base: BasePresent, BaseVersion: "v1"}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	first.Name, first.Removes, first.ModTime = "c", []string{"a/b"}, modTime
	renamed, err := s.Update(t.Context(), first, Durable)
	if err != nil {
		t.Fatal(err)
	}
	if renamed.Seq <= removed.Seq {
		t.Errorf("the renamed record has Seq %d, not behind %d", renamed.Seq, removed.Seq)
	}
	before := s.Pending()
	stats := s.Stats()
	closeStore(t, s)

	s = openReal(t, dir, Options{})
	defer closeStore(t, s)
	after := s.Pending()
	for i := range after {
		if !after[i].Recovered {
			t.Errorf("%s is not marked as recovered", after[i].Name)
		}
		after[i].Recovered = false
		after[i].Committed, before[i].Committed = time.Time{}, time.Time{}
	}
	same := func(a, b Record) bool {
		return a.ID == b.ID && a.Seq == b.Seq && a.Kind == b.Kind && a.Name == b.Name && a.Size == b.Size &&
			a.ModTime.Equal(b.ModTime) && a.Base == b.Base && a.BaseVersion == b.BaseVersion && slices.Equal(a.Removes, b.Removes)
	}
	if !slices.EqualFunc(before, after, same) {
		t.Errorf("before: %+v\nafter:  %+v", before, after)
	}
	if got := contentOf(t, s, renamed.ID); got != "hello" {
		t.Errorf("the content is %q", got)
	}
	if got := s.Stats(); got != stats {
		t.Errorf("before: %+v\nafter:  %+v", stats, got)
	}
	if next := store(t, s, "next", ""); next.Seq <= renamed.Seq {
		t.Errorf("the next record has Seq %d, not behind %d", next.Seq, renamed.Seq)
	}
}

func TestAnAppendBeginsWithTheHeadOfWhatWaits(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	old := store(t, s, "log", "0123456789")
	d, err := s.Create(t.Context(), CreateOptions{Name: "log", Record: old.ID, Off: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadFrom(strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: "log"}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(old.ID, Durable); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, s, r.ID); got != "0123abc" {
		t.Errorf("the content is %q", got)
	}
	if pending := s.Pending(); len(pending) != 1 {
		t.Errorf("%d records wait", len(pending))
	}
	_, err = s.Create(t.Context(), CreateOptions{Name: "log", Record: r.ID, Off: 8})
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an offset behind the end: %v", err)
	}
}

func TestAContentOutlivesItsRecord(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	r := store(t, s, "f", "content")
	c, err := s.OpenContent(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(r.ID, Durable); err != nil {
		t.Fatal(err)
	}
	if got := readContent(t, c); got != "content" {
		t.Errorf("read %q", got)
	}
	if used := s.Stats().Used; used != dataStart+7 {
		t.Errorf("%d bytes are counted while they are read", used)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got != (Stats{}) {
		t.Errorf("then %+v", got)
	}
}

func TestAPartIsContinuedByItsOwner(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	d, err := s.Create(t.Context(), CreateOptions{Name: "d/f", Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(d, "half of it"); err != nil {
		t.Fatal(err)
	}
	if err := d.Keep(); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	s = openReal(t, dir, Options{})
	defer closeStore(t, s)
	if _, err := s.Part("d/f", "eve"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the part of another: %v", err)
	}
	if infos := s.PartsIn("d"); len(infos) != 1 || infos[0].Size != 10 || infos[0].Name != "d/f" || infos[0].Owner != "bob" {
		t.Errorf("parts: %+v", infos)
	}
	d, err = s.Create(t.Context(), CreateOptions{Name: "d/f", Owner: "bob", Part: true, Off: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part("d/f", "bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the part is still there: %v", err)
	}
	if _, err := io.WriteString(d, ", done"); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: "d/f"}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, s, r.ID); got != "half, done" {
		t.Errorf("the content is %q", got)
	}
}

func TestLostIsListedRetriedAndDropped(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	a, b := store(t, s, "a", "A"), store(t, s, "b", "B")
	for _, r := range []Record{a, b} {
		if err := s.Fail(r.ID, errors.New("the name is refused")); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)

	s = openReal(t, dir, Options{})
	defer closeStore(t, s)
	lost, err := s.Lost()
	if err != nil || len(lost) != 2 || lost[0].Name != "a" || lost[0].Reason != "the name is refused" {
		t.Fatalf("lost: %+v, %v", lost, err)
	}
	if len(s.Pending()) != 0 {
		t.Error("something waits still")
	}
	again, err := s.Retry(a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if again.Seq <= b.Seq {
		t.Errorf("it has Seq %d, not behind %d", again.Seq, b.Seq)
	}
	if got := contentOf(t, s, a.ID); got != "A" {
		t.Errorf("the content is %q", got)
	}
	if err := s.DropLost(b.ID); err != nil {
		t.Fatal(err)
	}
	if lost, err := s.Lost(); err != nil || len(lost) != 0 {
		t.Errorf("lost: %+v, %v", lost, err)
	}
}

func TestAReasonIsOneLineThatFits(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	wide := store(t, s, strings.Repeat("n", maxFields-200), "text")
	if err := s.Fail(wide.ID, errors.New(strings.Repeat("long ", 200)+"\n")); err != nil {
		t.Fatal(err)
	}
	short := store(t, s, "short", "text")
	if err := s.Fail(short.ID, errors.Join(errors.New("one"), errors.New("two"))); err != nil {
		t.Fatal(err)
	}
	lost, err := s.Lost()
	if err != nil || len(lost) != 2 || len(lost[0].Reason) != maxReason || lost[1].Reason != "one; two" {
		t.Errorf("lost: %+v, %v", lost, err)
	}
}

func TestASecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	s := openReal(t, dir, Options{})
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = Open(d, Options{})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "pid ") {
		t.Errorf("the second one: %v", err)
	}
	closeStore(t, s)
	s, err = Open(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
