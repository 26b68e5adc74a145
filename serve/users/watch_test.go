package users

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A watched is a users file with what Watch said of it.
type watched struct {
	t       *testing.T
	path    string
	again   chan struct{}
	writes  int
	mu      sync.Mutex
	changes []*File
	errors  []error
	same    int
}

// watch runs test beside a Watch of a file with one user, in virtual time.
func watch(t *testing.T, path string, test func(w *watched)) {
	w := &watched{t: t, path: path}
	w.put("[users.a]\n")
	synctest.Test(t, func(t *testing.T) {
		w.again = make(chan struct{})
		f, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go f.Watch(ctx, w.again, func(f *File) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changes = append(w.changes, f)
		}, func(*File) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.same++
		}, func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.errors = append(w.errors, err)
		})
		test(w)
		stop()
		synctest.Wait()
	})
}

// put writes the file in place, with a time of its own.
func (w *watched) put(text string) {
	w.t.Helper()
	w.writes++
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(w.path, time.Time{}, time.Unix(int64(1e9+w.writes), 0)); err != nil {
		w.t.Fatal(err)
	}
}

// expect waits for some looks and compares how often something was said.
func (w *watched) expect(looks, changes, errors int) {
	w.t.Helper()
	time.Sleep(time.Duration(looks) * pollInterval)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.changes) != changes || len(w.errors) != errors {
		w.t.Fatalf("%d changes and %v, want %d and %d", len(w.changes), w.errors, changes, errors)
	}
}

func TestWatch(t *testing.T) {
	watch(t, filepath.Join(t.TempDir(), "users.toml"), func(w *watched) {
		w.expect(3, 0, 0)
		w.put("[users.b]\n")
		w.expect(2, 1, 0)
		if got := strings.Join(w.changes[0].Names(), " "); got != "b" {
			t.Errorf("the new file has %s", got)
		}
		w.put("[users.b]\n") // touched
		w.expect(3, 1, 0)

		w.put("[users.b]\nx = 1\n")
		w.expect(10, 1, 1)
		if !strings.Contains(w.errors[0].Error(), ":2:1: ") {
			t.Errorf("the mistake is %v", w.errors[0])
		}
		w.put("[users.b]\nx = 2\n") // another mistake
		w.expect(10, 1, 2)
		w.put("[users.b]\n") // as it was before
		w.expect(3, 1, 2)

		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		w.expect(10, 1, 3)
		w.put("[users.c]\n")
		w.expect(2, 2, 3)
	})
}

// A file that is being written is not read before it is whole.
func TestWatchWaitsForTheEndOfAWrite(t *testing.T) {
	watch(t, filepath.Join(t.TempDir(), "users.toml"), func(w *watched) {
		for range 5 {
			w.put("[users.a]\n[users.b]\n"[:10+w.writes])
			w.expect(1, 0, 0)
		}
		w.put("[users.a]\n[users.b]\n")
		w.expect(2, 1, 0)
	})
}

func TestWatchAgain(t *testing.T) {
	watch(t, filepath.Join(t.TempDir(), "users.toml"), func(w *watched) {
		w.put("[users.a]\n")
		w.expect(5, 0, 0)
		if w.same > 0 {
			t.Error("somebody who has not asked is told that nothing has changed")
		}
		w.again <- struct{}{}
		w.expect(0, 0, 0)
		if w.same != 1 {
			t.Errorf("who has asked is told %d times that nothing has changed", w.same)
		}
		w.put("[users.b]\n")
		w.again <- struct{}{}
		w.expect(0, 1, 0)
		w.put("[users.b\n")
		w.again <- struct{}{}
		w.expect(5, 1, 1)
		w.again <- struct{}{} // whoever asks again is answered again
		w.expect(5, 1, 2)
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		w.again <- struct{}{}
		w.expect(5, 1, 3)
	})
}

// Kubernetes shows a file by a link to a link to a directory, and moves the link in the middle.
func TestWatchFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	put := func(version, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "users.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(version, filepath.Join(dir, "data.new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "data.new"), filepath.Join(dir, "data")); err != nil {
			t.Fatal(err)
		}
	}
	put("v1", "")
	link := filepath.Join(dir, "users.toml")
	if err := os.Symlink("data/users.toml", link); err != nil {
		t.Skip("there are no links here:", err)
	}
	watch(t, link, func(w *watched) {
		put("v2", "[users.b]\n")
		w.expect(2, 1, 0)
		if got := strings.Join(w.changes[0].Names(), " "); got != "b" {
			t.Errorf("the new file has %s", got)
		}
	})
}
