package drive_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/drive"
	"ferry/remote/remotetest"
)

// A follower collects the changes that a remote tells.
type follower struct {
	t       *testing.T
	changes chan remote.Change
}

// follow watches r until the end of the test.
func follow(t *testing.T, r *drive.Remote) *follower {
	t.Helper()
	f := &follower{t, make(chan remote.Change, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c, err := range r.Watch(ctx, 50*time.Millisecond) {
			if err == nil {
				f.changes <- c
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	f.tells(".")
	return f
}

// tells waits until changes of all these names, separated by blanks, were told. A name that is to
// be removed begins with -, what it is not to be is in the changes that it returns.
func (f *follower) tells(names string) (all []remote.Change) {
	f.t.Helper()
	wanted := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		wanted[name] = true
	}
	for end := time.After(20 * time.Second); len(wanted) > 0; {
		select {
		case c := <-f.changes:
			all = append(all, c)
			name := c.Name
			if c.Removed {
				name = "-" + name
			}
			delete(wanted, name)
		case <-end:
			f.t.Fatalf("of %s, %v are not told, only %+v", names, wanted, all)
		}
	}
	return all
}

func TestChangesOfOthersAreTold(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	dir := s.AddFolder(s.Root, "dir")
	below := s.AddFolder(dir, "below")
	file := s.AddFile(below, "file", "x")
	outside := s.AddFolder(s.Root, "outside")
	lonely := s.AddFile(outside, "lonely", "x")
	s.AddShortcut(s.Root, "short", file)
	list := func(r remote.Remote) {
		for _, name := range []string{".", "dir", "dir/below"} {
			if _, _, err := remotetest.ListOmitting(t.Context(), r, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := follow(t, r)
	list(r)
	s.Rename(file, below, "renamed")
	f.tells("-dir/below/file dir/below/renamed short")
	s.Rename(file, outside, "renamed")
	f.tells("-dir/below/renamed outside/renamed")
	s.Rename(below, s.Root, "moved")
	for _, c := range f.tells("-dir/below moved") {
		if c.Dir && !c.Below {
			t.Errorf("what is below it is not told: %+v", c)
		}
	}
	s.AddFile(s.AddFolder(below, "deep"), "f", "x")
	f.tells("moved/deep moved/deep/f")
	s.Trash(file)
	f.tells("-outside/renamed -short")
	s.Delete(below) // all below it is removed with it
	f.tells("-moved -moved/deep -moved/deep/f")
	s.Delete(lonely) // which nobody has seen
	s.AddFile(s.Root, "end", "x")
	for _, c := range f.tells("end") {
		if c.Name != "end" && c.Name != "short" {
			t.Errorf("nobody needs %+v", c)
		}
	}
}

func TestOnlyWhatIsBelowTheRootIsTold(t *testing.T) {
	t.Parallel()
	s := startAlone(t)
	dir := s.AddFolder(s.Root, "dir")
	other := s.AddFolder(s.Root, "other")
	r := open(t, "dir", options(s.Addr))
	t.Cleanup(func() { r.Close() })
	f := follow(t, r)
	file := s.AddFile(other, "f", "x")
	s.AddFile(dir, "first", "x")
	if all := f.tells("first"); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	s.Rename(file, dir, "f")
	f.tells("f")
	s.Rename(file, other, "f")
	f.tells("-f")
}

// A listing that began before a change, and ends after it was told, does not keep what was.
func TestAPathThatIsSeenOtherwiseIsToldAgain(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	f := follow(t, r)
	file := s.AddFile(s.Root, "a", "x")
	f.tells("a")
	s.Rename(file, s.Root, "b")
	if _, err := r.Stat(t.Context(), "b"); err != nil { // before the feed tells of it
		t.Fatal(err)
	}
	all := f.tells("b")
	for len(all) < 2 {
		all = append(all, f.tells("a")...)
	}
}

func TestAFeedThatFailsIsAskedAgain(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	f := follow(t, r)
	s.Refuse(2, 500, "backendError", 0)
	s.AddFile(s.Root, "f", "x")
	if all := f.tells("f"); all[0].Name != "f" {
		t.Errorf("%+v", all)
	}
	s.Refuse(1, 400, "invalid", 0) // the token is too old
	s.AddFile(s.Root, "missed", "x")
	f.tells(".")
	s.AddFile(s.Root, "g", "x")
	f.tells("g")
}
