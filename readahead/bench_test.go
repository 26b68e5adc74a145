package readahead

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"ferry/cache"
	"ferry/disk"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

const benchSize = 256 << 20

// benchTree is a Tree over a file in memory, with copies on a real disk.
func benchTree(b *testing.B) (*Tree, *cache.Store) {
	b.Helper()
	d, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	store, err := cache.Open(d, cache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := memory.New()
	if _, err := r.Put(context.Background(), "f", bytes.NewReader(content(benchSize)), remote.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	t := New(&far{Forward: remote.Forward{Remote: r}, probe: map[string]map[int64]int{}}, Options{
		Buffer: 16 << 20, Store: store,
	})
	b.Cleanup(func() {
		t.Close()
		store.Close()
		d.Close()
	})
	return t, store
}

// sink is a connection whose other end takes everything.
func sink(b *testing.B) net.Conn {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	out, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, c)
	}()
	b.Cleanup(func() {
		out.Close()
		<-done
		c.Close()
	})
	return out
}

func (t *Tree) benchRead(b *testing.B, w io.Writer) {
	r, err := t.Open(b.Context(), "f", 0, -1)
	if err != nil {
		b.Fatal(err)
	}
	if n, err := io.Copy(w, r); n != benchSize || err != nil {
		b.Fatalf("%d bytes, %v", n, err)
	}
	r.Close()
}

// BenchmarkHeld sends a file that is held as a whole.
func BenchmarkHeld(b *testing.B) {
	t, _ := benchTree(b)
	w := sink(b)
	t.benchRead(b, w)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		t.benchRead(b, w)
	}
}

// BenchmarkFirst sends a file of which nothing is held.
func BenchmarkFirst(b *testing.B) {
	t, store := benchTree(b)
	w := sink(b)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		t.benchRead(b, w)
		b.StopTimer()
		if err := store.Forget("f"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkAhead sends a file without keeping anything.
func BenchmarkAhead(b *testing.B) {
	t, _ := benchTree(b)
	t.opt.Store = nil
	w := sink(b)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		t.benchRead(b, w)
	}
}

// BenchmarkChunks sends a file as a plan says.
func BenchmarkChunks(b *testing.B) {
	for name, plan := range map[string]Chunks{
		"doubled": {Size: 128 << 20, Limit: -1}, "small": {Size: 1 << 20}, "streams": {Size: 4 << 20, Streams: 8},
	} {
		b.Run(name, func(b *testing.B) {
			t, _ := benchTree(b)
			t.opt.Store, t.opt.Chunks = nil, &plan
			w := sink(b)
			b.SetBytes(benchSize)
			b.ReportAllocs()
			for b.Loop() {
				t.benchRead(b, w)
			}
		})
	}
}
