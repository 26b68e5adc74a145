package readahead

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

const mib = 1 << 20

// probes is a remote that records the requested ranges.
type probes struct {
	remote.Forward
	mu     sync.Mutex
	ranges []string // guarded by mu; offset+length
}

func (a *probes) Info() remote.Info {
	i := a.Forward.Info()
	i.Caps.CheapStat = false
	return i
}

func (a *probes) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	a.mu.Lock()
	a.ranges = append(a.ranges, fmt.Sprintf("%d+%d", off, n))
	a.mu.Unlock()
	return a.Forward.Open(ctx, name, off, n)
}

// rangesOf returns the ranges requested by reading a file of size from off, in the order of their
// offsets.
func rangesOf(t *testing.T, size int, off int64, plan Chunks) []string {
	t.Helper()
	b := newBehind(t, Options{})
	data := content(size)
	b.put("f", data)
	a := &probes{Forward: remote.Forward{Remote: b.store}}
	tree := New(a, Options{Buffer: 16 * mib, Chunks: &plan})
	defer tree.Close()
	r, err := tree.Open(t.Context(), "f", off, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data[min(off, int64(size)):]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	slices.SortFunc(a.ranges, func(x, y string) int {
		var i, j int
		fmt.Sscan(x, &i)
		fmt.Sscan(y, &j)
		return i - j
	})
	return a.ranges
}

func TestReadChunkSizesAreThoseAskedFor(t *testing.T) {
	tests := []struct {
		name string
		off  int64
		plan Chunks
		want []string
	}{
		{"Read the source objects in chunks", 0, Chunks{Size: 4 * mib, Limit: 4 * mib},
			[]string{"0+4194304", "4194304+4194304", "8388608+1572869"}},
		{"double the chunk size after each chunk read, until the limit is reached", 0, Chunks{Size: mib, Limit: 4 * mib},
			[]string{"0+1048576", "1048576+2097152", "3145728+4194304", "7340032+2621445"}},
		{"'off' is unlimited", 0, Chunks{Size: mib, Limit: -1},
			[]string{"0+1048576", "1048576+2097152", "3145728+4194304", "7340032+2621445"}},
		{"a limit below the chunk size does not count", 5 * mib, Chunks{Size: 2 * mib, Limit: mib},
			[]string{"5242880+2097152", "7340032+2097152", "9437184+524293"}},
		{"a chunk size of 0 is one request", 3, Chunks{}, []string{"3+-1"}},
		{"the first chunk holds everything", 0, Chunks{Size: 128 * mib, Limit: -1}, []string{"0+134217728"}},
		{"streams are of one size", 0, Chunks{Size: 3 * mib, Limit: -1, Streams: 2},
			[]string{"0+3145728", "3145728+3145728", "6291456+3145728", "9437184+524293"}},
		{"there are more streams than chunks", 0, Chunks{Size: 6 * mib, Streams: 8}, []string{"0+6291456", "6291456+3670021"}},
		{"sizes that are no number of blocks", 9 * mib, Chunks{Size: 100_000, Limit: 250_000},
			[]string{"9437184+100000", "9537184+200000", "9737184+200000", "9937184+24293"}},
		{"behind the end", 20 * mib, Chunks{Size: mib}, []string{"20971520+1048576"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := rangesOf(t, 9*mib+512<<10+5, tt.off, tt.plan); !slices.Equal(got, tt.want) {
				t.Errorf("asked for %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStreamsRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, Options{Buffer: 16 * mib, Chunks: &Chunks{Size: mib, Streams: 8}})
		data := content(16 * mib)
		b.put("f", data)
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 100 * time.Millisecond, Slow: true, Times: -1})
		begun := time.Now()
		b.wantFile("f", data)
		if took := time.Since(begun); took > 700*time.Millisecond { // one stream would take 1.6 s
			t.Errorf("16 chunks took %v", took)
		}
	})
}

func TestChunksAreReadAheadWithinTheBuffer(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan Chunks
		o    Options
		want int
	}{
		{"one stream by the buffer", Chunks{Size: 128 * mib, Limit: -1}, Options{Buffer: 2 * mib}, 2 * mib},
		{"streams by their chunks", Chunks{Size: mib, Streams: 3}, Options{Buffer: 16 * mib}, 3 * mib},
		{"all by what there is for all", Chunks{Size: mib, Streams: 4}, Options{Buffer: 16 * mib, Budget: budget.New(2 * mib)}, 2 * mib},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.o.Chunks = &tt.plan
				b := newBehind(t, tt.o)
				b.put("f", content(8*mib))
				r, err := b.Open(t.Context(), "f", 0, -1)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				synctest.Wait()
				c := r.(*reader)
				c.file.mu.Lock()
				defer c.file.mu.Unlock()
				got := 0
				for _, b := range c.slots {
					got += b.n
				}
				if got != tt.want {
					t.Errorf("%d KiB are in memory, want %d", got>>10, tt.want>>10)
				}
			})
		})
	}
}

func TestChunksOfAFileThatChangesAreNeverMixed(t *testing.T) {
	for _, streams := range []int{0, 4} {
		b := newBehind(t, Options{Buffer: mib, Chunks: &Chunks{Size: mib / 4, Streams: streams}})
		before, after := content(8*mib), bytes.Repeat([]byte("x"), 8*mib)
		b.put("f", before)
		r, err := b.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		b.put("f", after)
		got, err := io.ReadAll(r)
		if !errors.Is(err, remote.ErrChanged) || !bytes.Equal(got, before[:len(got)]) {
			t.Errorf("%d streams: %d bytes, %v", streams, len(got), err)
		}
		r.Close()
	}
}

func TestChunksThatFailEndTheRead(t *testing.T) {
	for _, fault := range []faulty.Fault{
		{Op: faulty.Open, Skip: 2},
		{Op: faulty.Read, After: 100, Skip: 0},
	} {
		b := newBehind(t, Options{Buffer: mib, Chunks: &Chunks{Size: mib, Streams: 2}})
		b.put("f", content(8*mib))
		b.remote.Inject(fault)
		r, err := b.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, faulty.ErrInjected) {
			t.Errorf("%+v: %v", fault, err)
		}
		r.Close()
	}
}

func TestChunksAreAReader(t *testing.T) {
	b := newBehind(t, Options{Buffer: mib, Chunks: &Chunks{Size: 300_000, Limit: -1, Streams: 3}})
	data := content(mib + 7)
	b.put("f", data)
	r, err := b.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := iotest.TestReader(struct{ io.Reader }{r}, data); err != nil {
		t.Error(err)
	}
	r, err = b.Open(t.Context(), "f", 10, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got bytes.Buffer
	if n, err := io.Copy(&got, r); err != nil || n != int64(len(data)-10) || !bytes.Equal(got.Bytes(), data[10:]) {
		t.Errorf("WriteTo gave %d bytes, %v", n, err)
	}
	if _, err := b.Open(t.Context(), "none", 0, -1); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func TestWhatDoesNotSayWhatItSendsIsNotReadInChunks(t *testing.T) {
	b := newBehind(t, Options{Chunks: &Chunks{Size: mib}})
	b.far.mute = true
	data := content(3 * mib)
	b.put("f", data)
	for range 2 {
		b.wantFile("f", data)
	}
}
