package s3

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
)

func isCopy(q *http.Request) bool { return q.Header.Get("X-Amz-Copy-Source") != "" }

// when lets something happen around the first request of a kind: before it, or behind it. What
// happens makes requests of its own, which are left alone.
func (f *front) when(is func(*http.Request) bool, before, behind func()) {
	f.setMeddle(func(w http.ResponseWriter, q *http.Request) bool {
		if !is(q) {
			return false
		}
		f.setMeddle(nil)
		before()
		f.handler.ServeHTTP(w, q)
		behind()
		return true
	})
}

func putString(t *testing.T, r *Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
}

func holds(t *testing.T, r *Remote, name, content string) {
	t.Helper()
	if got := string(load(t, r, name)); got != content {
		t.Errorf("%s holds %q, want %q", name, got, content)
	}
}

// fronts are a server that honours the precondition of a DELETE, and one that ignores it.
func fronts() map[string]func(*testing.T) *front {
	return map[string]func(*testing.T) *front{"honoured": startGatewayFront, "ignored": startFake}
}

// What somebody else stores under the old name while it is renamed is not lost, wherever it comes
// between two requests.
func TestARenameKeepsWhatWasStoredMeanwhile(t *testing.T) {
	for what, start := range fronts() {
		t.Run(what, func(t *testing.T) {
			f := start(t)
			r, other := openAt(t, testBucket, testOptions(f.addr)), openAt(t, testBucket, testOptions(f.addr))
			store := func(name string) func() { return func() { putString(t, other, name, "later") } }
			none := func() {}
			for range 2 { // the first removal finds out what the server does
				putString(t, r, "x", "first")
				f.when(isCopy, none, store("x"))
				if err := r.Move(t.Context(), "x", "y"); err != nil {
					t.Fatal(err)
				}
				holds(t, r, "x", "later")
				holds(t, r, "y", "first")

				putString(t, r, "x", "first")
				f.when(isCopy, store("x"), none)
				if err := r.Move(t.Context(), "x", "y"); err != nil {
					t.Fatal(err)
				}
				holds(t, r, "y", "later")
				if _, err := r.Stat(t.Context(), "x"); err == nil && what == "honoured" {
					t.Error("the old name is left")
				}

				for _, name := range []string{"d/a", "d/b", "d/c"} {
					putString(t, r, name, "first")
				}
				f.when(lookAfterCopies(), none, store("d/b"))
				if err := r.Move(t.Context(), "d", "e"); err != nil {
					t.Fatal(err)
				}
				holds(t, r, "d/b", "later")
				holds(t, r, "e/b", "first")
				for _, name := range []string{"d/b", "e/a", "e/b", "e/c"} {
					if err := r.Remove(t.Context(), name); err != nil {
						t.Error(err)
					}
				}
				for _, name := range []string{"d", "e"} {
					if err := r.Rmdir(t.Context(), name); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// lookAfterCopies tells the listing that finds everything copied.
func lookAfterCopies() func(*http.Request) bool {
	var copied atomic.Bool
	return func(q *http.Request) bool {
		if isCopy(q) {
			copied.Store(true)
		}
		return copied.Load() && q.URL.Query().Has("list-type")
	}
}

func isDelete(q *http.Request) bool { return q.Method == http.MethodDelete }

// On a server that honours the precondition nothing can come between the look and the removal.
func TestARemovalOnAPreconditionIsOneStep(t *testing.T) {
	f := startGatewayFront(t)
	r, other := openAt(t, testBucket, testOptions(f.addr)), openAt(t, testBucket, testOptions(f.addr))
	putString(t, r, "x", "first")
	if err := r.Move(t.Context(), "x", "y"); err != nil { // which finds out
		t.Fatal(err)
	}
	putString(t, r, "x", "first")
	f.when(isDelete, func() { putString(t, other, "x", "later") }, func() {})
	if err := r.Move(t.Context(), "x", "y"); err != nil {
		t.Fatal(err)
	}
	holds(t, r, "x", "later")
	holds(t, r, "y", "first")
}

func TestWhatARenameCosts(t *testing.T) {
	for what, start := range fronts() {
		t.Run(what, func(t *testing.T) {
			f := start(t)
			r := openAt(t, testBucket, testOptions(f.addr))
			for round, want := range map[string][]int{"honoured": {6, 4, 4}, "ignored": {5, 5, 5}}[what] {
				putString(t, r, "x", "content")
				f.take()
				if err := r.Move(t.Context(), "x", "y"); err != nil {
					t.Fatal(err)
				}
				if got := f.take(); len(got) != want {
					t.Errorf("rename %d: requests\n\t%s\nwant %d", round+1, strings.Join(got, "\n\t"), want)
				}
			}
		})
	}
}

// A server that does not know the header is asked without it.
func TestAServerThatRefusesThePrecondition(t *testing.T) {
	f := startFake(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	refuse := refuseWith(http.StatusNotImplemented, "NotImplemented", func(q *http.Request) bool {
		return isDelete(q) && q.Header.Get("If-Match") != ""
	})
	f.setMeddle(refuse)
	for range 2 {
		putString(t, r, "x", "content")
		if err := r.Move(t.Context(), "x", "y"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Stat(t.Context(), "x"); err == nil {
			t.Error("the old name is left")
		}
	}
}
