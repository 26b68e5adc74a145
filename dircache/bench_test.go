package dircache

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"ferry/breaker"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

// BenchmarkChange makes changes while names are remembered, on a remote that ignores the case of
// names and on one that does not: all in one directory, in directories of a hundred, or each
// queried by itself. A change is made and undone. B/name is what the cache takes for each name.
func BenchmarkChange(b *testing.B) {
	for _, remembered := range []struct {
		how  string
		fill func(c *Tree, names int)
		most int
	}{
		{"together", together, 1_000_000},
		{"hundreds", hundreds, 1_000_000},
		{"single", single, maxNames},
	} {
		for _, names := range []int{10, 10_000, 1_000_000} {
			if names > remembered.most {
				continue
			}
			for _, folds := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/%d/folds=%v", remembered.how, names, folds), func(b *testing.B) {
					benchmarkChanges(b, folds, func(c *Tree) { remembered.fill(c, names) }, names)
				})
			}
		}
	}
}

func benchmarkChanges(b *testing.B, folds bool, fill func(c *Tree), names int) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := remote.Remote(far{Forward: remote.Forward{Remote: memory.New()}})
	if folds {
		r = folding{remote.Forward{Remote: r}}
	}
	c := New(r, breaker.New(breaker.Options{}), Options{Time: time.Hour, Entries: 2_000_000})
	fill(c)
	runtime.GC()
	runtime.ReadMemStats(&after)
	perName := float64(after.HeapAlloc-before.HeapAlloc) / float64(names)
	for _, change := range []struct {
		what string
		make func()
	}{
		{"put", func() {
			c.Stored("d0000/new", remote.Entry{Size: 1})
			c.removed("d0000/new")
		}},
		{"mkdir", func() {
			c.madeDir("d0000/new")
			c.removedDir("d0000/new")
		}},
		{"move", func() {
			c.Renamed("d0000/f0000000", "d0000/new")
			c.Renamed("d0000/new", "d0000/f0000000")
		}},
		{"look", func() { c.Known("d0000/f0000001") }},
		{"list", func() { remember(c, "d0000", min(names, 10_000)) }},
		{"report", func() { c.ApplyRemoteChange(remote.Change{Name: "d9999/f", Below: true}) }},
	} {
		b.Run(change.what, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				change.make()
			}
			b.ReportMetric(perName, "B/name")
		})
	}
	runtime.KeepAlive(c)
}

func together(c *Tree, names int) { remember(c, "d0000", names) }

func hundreds(c *Tree, names int) {
	for i := range (names + 99) / 100 {
		remember(c, fmt.Sprintf("d%04d", i), min(names, 100))
	}
}

func single(c *Tree, names int) {
	for i := range names {
		name := fmt.Sprintf("d0001/g%07d", i)
		c.rememberName(name, nameEntry{entry: remote.Entry{Name: name[6:]}, exists: true, at: time.Now()}, 0)
	}
}

// remember caches a listing of dir.
func remember(c *Tree, dir string, files int) {
	entries := make([]remote.Entry, files)
	for i := range entries {
		entries[i] = remote.Entry{Name: fmt.Sprintf("f%07d", i), ModTime: time.Now()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(dir, entries, time.Now())
}
