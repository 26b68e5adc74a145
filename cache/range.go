package cache

import (
	"cmp"
	"slices"
)

// span is the half-open byte range [off, end).
type span struct{ off, end int64 }

func (s span) len() int64 { return s.end - s.off }

// ranges is a set of bytes. The zero value is the empty set.
//
// INVARIANT: no span is empty, they are sorted by offset, and no two touch or overlap.
type ranges []span

// find returns the index of the first span that ends after off.
func (r ranges) find(off int64) int {
	i, _ := slices.BinarySearchFunc(r, off, func(s span, off int64) int {
		if s.end <= off {
			return -1
		}
		return 1
	})
	return i
}

// total returns how many bytes are in r.
func (r ranges) total() int64 {
	var n int64
	for _, s := range r {
		n += s.len()
	}
	return n
}

// run returns how many contiguous bytes from off on are in r.
func (r ranges) run(off int64) int64 {
	if i := r.find(off); i < len(r) && r[i].off <= off {
		return r[i].end - off
	}
	return 0
}

// covers reports whether all of s is in r.
func (r ranges) covers(s span) bool { return s.len() <= 0 || r.run(s.off) >= s.len() }

// missing returns the first gap of r in s, and whether there is one.
func (r ranges) missing(s span) (span, bool) {
	for i := r.find(s.off); i < len(r) && r[i].off <= s.off; i++ {
		s.off = r[i].end
	}
	if s.off >= s.end {
		return span{}, false
	}
	if i := r.find(s.off); i < len(r) {
		s.end = min(s.end, r[i].off)
	}
	return s, true
}

// add adds s to r and returns how many bytes were new.
func (r *ranges) add(s span) (added int64) {
	if s.len() <= 0 {
		return 0
	}
	from := r.find(s.off)
	if from > 0 && (*r)[from-1].end == s.off {
		from--
	}
	to := from
	for to < len(*r) && (*r)[to].off <= s.end {
		to++
	}
	touched := (*r)[from:to]
	if len(touched) > 0 {
		s = span{min(s.off, touched[0].off), max(s.end, touched[len(touched)-1].end)}
	}
	added = s.len() - touched.total()
	*r = slices.Replace(*r, from, to, s)
	return added
}

// remove removes s from r and returns how many bytes of it were in r.
func (r *ranges) remove(s span) (removed int64) {
	if s.len() <= 0 {
		return 0
	}
	from := r.find(s.off)
	to := from
	var rest [2]span
	kept := rest[:0]
	for to < len(*r) && (*r)[to].off < s.end {
		old := (*r)[to]
		removed += min(old.end, s.end) - max(old.off, s.off)
		if old.off < s.off {
			kept = append(kept, span{old.off, s.off})
		}
		if old.end > s.end {
			kept = append(kept, span{s.end, old.end})
		}
		to++
	}
	*r = slices.Replace(*r, from, to, kept...)
	return removed
}

// largest returns the n largest spans of r.
func (r ranges) largest(n int) ranges {
	if len(r) <= n {
		return slices.Clone(r)
	}
	bySize := slices.Clone(r)
	slices.SortFunc(bySize, func(a, b span) int { return cmp.Compare(b.len(), a.len()) })
	most := bySize[:n]
	slices.SortFunc(most, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	return most
}
