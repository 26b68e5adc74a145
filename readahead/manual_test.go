package readahead

import (
	"context"
	"io"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ferry/budget"
	"ferry/remote"
)

// counting is a remote that counts the bytes that are taken from it.
type counting struct {
	*far
	fetched atomic.Int64
}

func (c *counting) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r, err := c.far.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	e, _ := remote.Describe(r)
	return described{&countingReader{r, &c.fetched}, e}, nil
}

type countingReader struct {
	io.ReadCloser
	fetched *atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.fetched.Add(int64(n))
	return n, err
}

// buffering is a file of 8 MiB that is open, and what it has in memory.
type buffering struct {
	t *testing.T
	*counting
	tree  *Tree
	files []io.ReadCloser
	taken int64
}

const bufferedSize = 8 * mib

// inHand is what a reader may have besides its buffer: the piece that it hands out.
const inHand = 256 << 10

// newBuffered opens the file n times, each with a --buffer-size of so much, and all together of
// total.
func newBuffered(t *testing.T, n int, buffer, total int64) *buffering {
	t.Helper()
	b := newBehind(t, Options{})
	b.put("f", make([]byte, bufferedSize))
	c := &counting{far: b.far}
	tree := New(c, Options{Buffer: buffer, Budget: budget.New(total)})
	t.Cleanup(func() { tree.Close() })
	open := &buffering{t: t, counting: c, tree: tree}
	for range n {
		r, err := open.tree.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		open.files = append(open.files, r)
	}
	return open
}

// take reads n bytes of each file, and returns how many are in memory when nothing moves any more.
func (b *buffering) take(n int64) int64 {
	b.t.Helper()
	for _, f := range b.files {
		got, err := io.CopyN(io.Discard, f, n)
		b.taken += got
		if err != nil && err != io.EOF {
			b.t.Fatal(err)
		}
	}
	synctest.Wait()
	return b.fetched.Load() - b.taken
}

func (b *buffering) close() {
	for _, f := range b.files {
		f.Close()
	}
}

func heapInUse() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// The sentences of the manual about buffers, by the names of the subtests.
func TestFileBufferingOfTheManual(t *testing.T) {
	for _, tt := range []struct {
		sentence string
		check    func(t *testing.T)
	}{
		{"The --buffer-size flag determines the amount of memory, that will be used to buffer data in advance.", func(t *testing.T) {
			for _, buffer := range []int64{mib, 2 * mib} {
				b := newBuffered(t, 1, buffer, 0)
				defer b.close()
				if got := b.take(4 * mib); got > buffer+inHand || got < buffer*3/4 {
					t.Errorf("%d KiB are buffered of %d", got>>10, buffer>>10)
				}
			}
		}},
		{"Each open file descriptor will try to keep the specified amount of data in memory at all times.", func(t *testing.T) {
			b := newBuffered(t, 1, 2*mib, 0)
			defer b.close()
			b.take(2 * mib)
			for range 6 {
				if got := b.take(mib/2 + 1000); got < 2*mib*3/4 {
					t.Errorf("%d KiB are buffered", got>>10)
				}
			}
		}},
		{"The buffered data is bound to one file descriptor and won't be shared between multiple open file descriptors of the same file.", func(t *testing.T) {
			b := newBuffered(t, 2, 2*mib, 0)
			defer b.close()
			b.take(bufferedSize)
			if got := b.fetched.Load(); got != 2*bufferedSize {
				t.Errorf("two descriptors fetched %d MiB of a file of %d", got>>20, bufferedSize>>20)
			}
		}},
		{"This flag is a upper limit for the used memory per file descriptor.", func(t *testing.T) {
			b := newBuffered(t, 1, 2*mib, 0)
			defer b.close()
			for range 32 {
				if got := b.take(bufferedSize / 32); got > 2*mib+inHand {
					t.Errorf("%d KiB are buffered", got>>10)
				}
			}
		}},
		{"The buffer will only use memory for data that is downloaded but not not yet read.", func(t *testing.T) {
			b := newBuffered(t, 1, 2*mib, 0)
			defer b.close()
			var all []int64
			for range 4 { // towards the end there is less and less to be read
				all = append(all, b.take(bufferedSize/4))
			}
			if last := all[len(all)-1]; last != 0 || slices.Max(all) == 0 {
				t.Errorf("buffered were %v", all)
			}
		}},
		{"If the buffer is empty, only a small amount of memory will be used.", func(t *testing.T) {
			const n, each = 8, 64 << 10
			b := newBuffered(t, n, 2*mib, 0)
			defer b.close()
			heapInUse() // what was pooled before has gone with the second collection
			before := heapInUse()
			b.take(bufferedSize)
			heapInUse()
			if used := heapInUse() - before; used > n*each {
				t.Errorf("%d descriptors with empty buffers use %d KiB", n, used>>10)
			}
		}},
		{"The maximum memory used for buffering can be up to --buffer-size * open files.", func(t *testing.T) {
			b := newBuffered(t, 4, 2*mib, 0)
			defer b.close()
			if got := b.take(4 * mib); got > 4*(2*mib+inHand) || got < 3*2*mib {
				t.Errorf("4 files buffer %d KiB", got>>10)
			}
			less := newBuffered(t, 4, 2*mib, 4*mib)
			defer less.close()
			if got := less.take(4 * mib); got > 4*(mib+inHand) || got < 2*mib {
				t.Errorf("4 files buffer %d KiB of 4 MiB for all", got>>10)
			}
		}},
	} {
		t.Run(tt.sentence, func(t *testing.T) { synctest.Test(t, tt.check) })
	}
}
