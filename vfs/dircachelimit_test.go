package vfs

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// wordy is a remote of n files in each directory whose names are length bytes long and parts of
// text that is longer.
type wordy struct {
	far
	n, length, text int
}

func (w wordy) List(_ context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for i := range w.n {
			text := fmt.Sprintf("%08d", i) + strings.Repeat("n", w.text-8)
			if !yield(remote.Entry{Name: text[:w.length], Size: 1}, nil) {
				return
			}
		}
	}
}

// What is remembered of directories is bounded in bytes, whatever the remote calls its files. The
// first one took 240 MB when only entries were counted, the second one 395 MB.
func TestTheDirectoryCacheIsBoundedInBytes(t *testing.T) {
	for what, c := range map[string]struct {
		w    wordy
		most int64
	}{
		"names of 4 KB":              {wordy{n: 60_000, length: 4096, text: 4096}, 64 << 20},
		"names that are parts of it": {wordy{n: 50_000, length: 16, text: 8192}, 32 << 20},
		"half of them":               {wordy{n: 20_000, length: 4096, text: 4096}, 128 << 20},
	} {
		t.Run(what, func(t *testing.T) {
			w := c.w
			w.far = far{Forward: remote.Forward{Remote: memory.New()}}
			before := heapInUse()
			tree := New(w, Options{DirCacheTime: time.Hour})
			defer tree.Close()
			v := tree.View("bob")
			for range 2 {
				n := 0
				for _, err := range v.List(t.Context(), ".") {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				if n != w.n {
					t.Errorf("%d entries, want %d", n, w.n)
				}
			}
			if grown := heapInUse() - before; grown > c.most {
				t.Errorf("%d MB are kept, %d allowed", grown>>20, c.most>>20)
			}
			runtime.KeepAlive(tree)
		})
	}
}

// So are single names.
func TestSingleNamesAreBoundedInBytes(t *testing.T) {
	w := far{Forward: remote.Forward{Remote: memory.New()}}
	before := heapInUse()
	tree := New(w, Options{DirCacheTime: time.Hour})
	defer tree.Close()
	v := tree.View("bob")
	for i := range 9_000 {
		_, _ = v.Stat(t.Context(), fmt.Sprintf("%08d", i)+strings.Repeat("/nnnnnnn", 1000)) // there is none
	}
	if grown := heapInUse() - before; grown > 32<<20 {
		t.Errorf("%d MB are kept", grown>>20)
	}
	runtime.KeepAlive(tree)
}
