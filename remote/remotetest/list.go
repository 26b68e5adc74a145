package remotetest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"ferry/remote"
)

// many is the number of entries in a large directory: more than fit one page of any remote known.
const many = 1100

func listTests() []test {
	return []test{
		{"it yields every entry once", func(s *suite) {
			s.mkdir("d")
			s.mkdir("d/e")
			s.put("d/e/deep", "x")
			s.put("d/f", "hello")
			s.put("d/empty", "")
			s.put("top", "x")
			s.lists(".", "d top")
			s.lists("d", "e empty f")
			s.lists("d/e", "deep")
		}},
		{"it yields what Stat describes", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "hello")
			s.put("f", "hello")
			for name, e := range s.list(".") {
				want := s.stat(name)
				if e.Version == "" {
					want.Version = ""
				}
				if !e.ModTime.Equal(want.ModTime) {
					s.Errorf("time %v, Stat says %v", e.ModTime, want.ModTime)
				}
				e.ModTime = want.ModTime
				want.Digest = e.Digest
				if e.Dir {
					e.Size = want.Size
				}
				if e != want {
					s.Errorf("%+v, Stat says %+v", e, want)
				}
			}
		}},
		{"an empty root has no entries", func(s *suite) {
			s.lists(".", "")
		}},
		{"an empty directory has no entries", func(s *suite) {
			s.mkdir("d")
			s.lists("d", "")
		}},
		{"listing a file yields ErrNotDir", func(s *suite) {
			s.put("f", "x")
			s.fails(s.listErr(s.ctx, "f"), remote.ErrNotDir)
		}},
		{"listing a missing directory yields ErrNotExist", func(s *suite) {
			s.fails(s.listErr(s.ctx, "none"), remote.ErrNotExist)
			s.fails(s.listErr(s.ctx, "none/none"), remote.ErrNotExist)
		}},
		{"a listing can be made again from the same sequence", func(s *suite) {
			s.put("a", "x")
			seq := s.r.List(s.ctx, ".")
			for range 2 {
				n := 0
				for _, err := range seq {
					s.ok(err)
					n++
				}
				if n != 1 {
					s.Errorf("%d entries", n)
				}
			}
		}},
		{"it ends with its context", func(s *suite) {
			ctx, cause := ended(s.ctx)
			s.fails(s.listErr(ctx, "."), cause, context.Canceled)
		}},
	}
}

// largeListTests are about one directory of many files, "d". They share it and run in this order:
// making it for each of them would be most of the work of the suite.
func largeListTests() []test {
	return []test{
		{"it can be stopped at any entry", func(s *suite) {
			for _, stop := range []int{1, 2, many / 2} {
				n := 0
				for _, err := range s.r.List(s.ctx, "d") {
					s.ok(err)
					if n++; n == stop {
						break
					}
				}
				if n != stop {
					s.Errorf("stopped at %d", n)
				}
			}
			if got := len(s.list("d")); got != many {
				s.Errorf("%d entries afterwards", got)
			}
		}},
		{"it ends with its context in the middle", func(s *suite) {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			n := 0
			var last error
			for _, err := range s.r.List(ctx, "d") {
				if n++; n == 10 {
					cancel()
				}
				last = err
			}
			if n < many {
				s.fails(last, context.Canceled)
			}
		}},
		{"files that appear meanwhile do not disturb it", listWhileAdding},
		{"a file that disappears meanwhile is left out", listWhileRemoving},
	}
}

// listWhileRemoving removes all but every tenth file while the listing is on its way.
func listWhileRemoving(s *suite) {
	seen := map[string]bool{}
	removed := false
	for e, err := range s.r.List(s.ctx, "d") {
		if err != nil {
			s.Fatal(err)
		}
		if seen[e.Name] {
			s.Errorf("%q comes twice", e.Name)
		}
		seen[e.Name] = true
		if removed {
			continue
		}
		removed = true
		for i := range many {
			if i%10 != 0 {
				s.remove(manyName("d", i))
			}
		}
	}
	for i := 0; i < many; i += 10 {
		if _, base := remote.Split(manyName("d", i)); !seen[base] {
			s.Errorf("%q is missing, it was there all the time", base)
		}
	}
	left := s.list("d")
	maps.DeleteFunc(left, func(name string, _ remote.Entry) bool { return strings.HasPrefix(name, "new-") })
	if len(left) != many/10 {
		s.Errorf("%d entries are left", len(left))
	}
}

// listWhileAdding adds a file for every entry of the first part of the listing.
func listWhileAdding(s *suite) {
	seen := map[string]int{}
	n := 0
	for e, err := range s.r.List(s.ctx, "d") {
		if err != nil {
			s.Fatal(err)
		}
		seen[e.Name]++
		if n++; n <= 200 {
			s.put(fmt.Sprintf("d/new-%d", n), "x")
		}
	}
	for i := range many {
		if _, base := remote.Split(manyName("d", i)); seen[base] != 1 {
			s.Errorf("%q comes %d times", base, seen[base])
		}
	}
}

// putMany fills the directory dir, which it makes, with many small files.
func (s *suite) putMany(dir string) {
	s.Helper()
	s.mkdir(dir)
	for i := range many {
		s.put(manyName(dir, i), "x")
	}
}

func manyName(dir string, i int) string {
	return remote.Join(dir, fmt.Sprintf("a-name-of-some-length-as-cameras-and-scanners-make-them-%04d.dat", i))
}
