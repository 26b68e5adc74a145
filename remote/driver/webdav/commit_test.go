package webdav_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/driver/webdav"
)

// breakOff serves dir and ends the connection of the first MOVE that replaces, after act has done a
// part of it. From then on alive says whether the server answers.
func breakOff(t *testing.T, dir string, act func(from, to string) error, alive bool) *webdav.Remote {
	t.Helper()
	var broken atomic.Bool
	s := newServer(t, dav.Dir(dir), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			replaces := req.Method == "MOVE" && req.Header.Get("Overwrite") == "T"
			if !broken.Load() && !replaces || broken.Load() && alive {
				next.ServeHTTP(w, req)
				return
			}
			if broken.CompareAndSwap(false, true) {
				from := filepath.Join(dir, strings.TrimPrefix(req.URL.Path, "/dav"))
				if err := act(from, filepath.Join(dir, "f")); err != nil {
					t.Error(err)
				}
			}
			panic(http.ErrAbortHandler)
		})
	})
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	t.Cleanup(func() { r.Close() })
	return r
}

func TestAReplacementThatIsBrokenOff(t *testing.T) {
	nothing := func(string, string) error { return nil }
	half := func(_, to string) error { return os.Remove(to) }
	all := func(from, to string) error { return os.Rename(from, to) }
	for what, c := range map[string]struct {
		act   func(from, to string) error
		alive bool
		done  bool
		want  string // what f holds; "" nothing
	}{
		"before anything was done":               {nothing, true, false, "old"},
		"after the old file was deleted":         {half, true, true, "new"},
		"after all was done":                     {all, true, true, "new"},
		"by a server that is gone":               {nothing, false, false, "old"},
		"by a server that is gone in the middle": {half, false, false, ""},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			r := breakOff(t, dir, c.act, c.alive)
			_, err := r.Put(t.Context(), "f", strings.NewReader("new"), remote.PutOptions{})
			if (err == nil) != c.done || err != nil && remote.Permanent(err) {
				t.Errorf("Put: %v", err)
			}
			b, readErr := os.ReadFile(filepath.Join(dir, "f"))
			if string(b) != c.want || readErr != nil && !errors.Is(readErr, os.ErrNotExist) {
				t.Errorf("the file holds %q, %v", b, readErr)
			}
			hidden, globErr := filepath.Glob(filepath.Join(dir, ".ferry-upload-*"))
			if globErr != nil || c.alive && len(hidden) > 0 {
				t.Errorf("%q are left, %v", hidden, globErr)
			}
			if c.want == "" && (len(hidden) != 1 || !strings.Contains(err.Error(), filepath.Base(hidden[0]))) {
				t.Errorf("the new content is not to be found: %q, %v", hidden, err)
			}
		})
	}
}
