package cache

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ferry/disk"
)

func openForBench(b *testing.B) *Store {
	d, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	s, err := Open(d, Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// benchCommits commits contents of size bytes by workers at a time.
func benchCommits(b *testing.B, workers, size int, dur Durability) {
	s := openForBench(b)
	defer s.Close()
	data := make([]byte, size)
	var next atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				name := fmt.Sprintf("dir/file%d", i)
				draft, err := s.Create(b.Context(), CreateOptions{Name: name, Owner: "bench"})
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := draft.Write(data); err != nil {
					b.Error(err)
					return
				}
				if _, err := draft.Commit(b.Context(), Record{Name: name}, dur); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func BenchmarkCommit(b *testing.B) {
	for a, name := range []string{Durable: "durable", Spooled: "spooled"} {
		for _, workers := range []int{1, 8, 32} {
			b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) { benchCommits(b, workers, 16<<10, Durability(a)) })
		}
	}
}

// BenchmarkOpen opens a Store with files that wait, as the first start after SIGKILL does.
func BenchmarkOpen(b *testing.B) {
	for _, files := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) { benchOpen(b, files) })
	}
}

func benchOpen(b *testing.B, files int) {
	d, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	s, err := Open(d, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range files {
		if _, err := s.Add(b.Context(), Record{Kind: Removed, Name: fmt.Sprint("dir/file", i)}, Spooled); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := s.lock.Close(); err != nil { // as the end of the process does
			b.Fatal(err)
		}
		if s, err = Open(d, Options{}); err != nil {
			b.Fatal(err)
		}
		if n := len(s.Pending()); n != files {
			b.Fatal(n)
		}
	}
}
