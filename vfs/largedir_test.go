package vfs

import (
	"context"
	"iter"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"ferry/remote"
)

// endless is a remote whose root has n files.
type endless struct {
	far
	n int
}

func (e endless) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for i := range e.n {
			if !yield(remote.Entry{Name: "file-" + strconv.Itoa(i), Size: int64(i), ModTime: time.Unix(int64(i), 0)}, nil) {
				return
			}
		}
	}
}

// heapInUse returns how many bytes are in use when the garbage is gone.
func heapInUse() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// A directory of one million entries: the listing streams, and memory stays bounded by what may be
// remembered.
func TestADirectoryOfOneMillionEntriesStreams(t *testing.T) {
	const n, remembered = 1_000_000, 20_000
	b := newBehind(t, Options{})
	tree := New(endless{far{Forward: remote.Forward{Remote: b.store}}, n}, Options{DirCacheTime: time.Minute, DirCacheEntries: remembered})
	defer tree.Close()
	before, most, count := heapInUse(), int64(0), 0
	for info, err := range tree.View("bob").List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		if count++; count%100_000 == 0 {
			most = max(most, heapInUse()-before)
		}
		if count == n && info.Size() != n-1 {
			t.Errorf("the last is %s", info.Name())
		}
	}
	t.Logf("%d KiB of memory at most", most>>10)
	if count != n {
		t.Errorf("%d entries", count)
	}
	if limit := int64(16 << 20); most > limit {
		t.Errorf("the listing took %d KiB of memory, more than %d", most>>10, limit>>10)
	}
	if s := tree.Stats(); s.Dirs != 0 || s.Files != 0 {
		t.Errorf("it is remembered: %+v", s)
	}
}
