package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestServeRunsWhatARemoteDoesInTheBackground has no client at all: the cache below a remote of
// type cache is tidied up, also where that is a directory of another remote.
func TestServeRunsWhatARemoteDoesInTheBackground(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	cached := ":cache,remote='" + dir + "',chunk_path='" + kept + "':"
	for _, what := range []string{cached, `:combine,upstreams="dir=` + cached + `":`} {
		serve := func(until func() bool) {
			t.Helper()
			r := start(t, nil, what, "--addr", "127.0.0.1:0")
			r.url(t)
			for limit := time.Now().Add(30 * time.Second); !until(); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(limit) {
					t.Errorf("%s: nothing is tidied up", what)
					break
				}
			}
			r.stop()
			r.wait(t)
		}
		serve(func() bool { return true }) // makes the directory
		found, err := filepath.Glob(filepath.Join(kept, "*", "clean"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", what, found, err)
		}
		junk := filepath.Join(found[0], "junk")
		if err := os.WriteFile(junk, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		serve(func() bool {
			_, err := os.Stat(junk)
			return errors.Is(err, fs.ErrNotExist)
		})
	}
}
