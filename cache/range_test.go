package cache

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func TestRanges(t *testing.T) {
	for _, tt := range []struct {
		have    ranges
		add     span
		want    ranges
		added   int64
		comment string
	}{
		{nil, span{3, 5}, ranges{{3, 5}}, 2, "the first"},
		{ranges{{3, 5}}, span{7, 7}, ranges{{3, 5}}, 0, "nothing"},
		{ranges{{3, 5}}, span{5, 7}, ranges{{3, 7}}, 2, "behind it"},
		{ranges{{3, 5}}, span{1, 3}, ranges{{1, 5}}, 2, "in front of it"},
		{ranges{{3, 5}, {7, 9}}, span{5, 7}, ranges{{3, 9}}, 2, "into the gap"},
		{ranges{{3, 5}, {7, 9}}, span{4, 8}, ranges{{3, 9}}, 2, "over the gap"},
		{ranges{{3, 5}, {7, 9}}, span{0, 20}, ranges{{0, 20}}, 16, "over all"},
		{ranges{{3, 5}, {9, 11}}, span{6, 8}, ranges{{3, 5}, {6, 8}, {9, 11}}, 2, "between"},
	} {
		got := slices.Clone(tt.have)
		if added := got.add(tt.add); added != tt.added || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %d added; want %v, %d", tt.comment, got, added, tt.want, tt.added)
		}
	}
}

func TestTheLargestRangesAreKept(t *testing.T) {
	r := ranges{{0, 1}, {2, 10}, {12, 13}, {20, 29}}
	for n, want := range map[int]ranges{0: {}, 1: {{20, 29}}, 2: {{2, 10}, {20, 29}}, 4: r, 9: r} {
		if got := r.largest(n); !slices.Equal(got, want) {
			t.Errorf("the largest %d are %v, want %v", n, got, want)
		}
	}
}

// FuzzRanges compares a set with an array of bits after any history.
func FuzzRanges(f *testing.F) {
	f.Add([]byte("\x00\x10\x20\x01\x18\x04"))
	f.Add(bytes.Repeat([]byte{0, 9, 3, 0, 40, 9, 1, 5, 60}, 4))
	f.Fuzz(func(t *testing.T, history []byte) {
		var r ranges
		var bits [256]bool
		for ; len(history) >= 3; history = history[3:] {
			s := span{int64(history[1]), min(int64(history[1])+int64(history[2]), 256)}
			put := history[0]%2 == 0
			var changed, got int64
			for i := s.off; i < s.end; i++ {
				if bits[i] != put {
					changed++
				}
				bits[i] = put
			}
			if put {
				got = r.add(s)
			} else {
				got = r.remove(s)
			}
			if got != changed {
				t.Fatalf("%v changed %d bytes, want %d", s, got, changed)
			}
			if err := sameAs(r, bits[:]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// sameAs compares every answer of r with bits.
func sameAs(r ranges, bits []bool) error {
	var total int64
	for i, in := range bits {
		if in {
			total++
		}
		var run int64
		for j := i; j < len(bits) && bits[j]; j++ {
			run++
		}
		if got := r.run(int64(i)); got != run {
			return fmt.Errorf("%v: the run at %d is %d, want %d", r, i, got, run)
		}
		want := span{int64(i) + run, int64(i) + run}
		for want.end < int64(len(bits)) && !bits[want.end] {
			want.end++
		}
		whole := span{int64(i), int64(len(bits))}
		got, any := r.missing(whole)
		if any != (want.len() > 0) || any && got != want {
			return fmt.Errorf("%v: from %d on %v is missing, want %v", r, i, got, want)
		}
		if r.covers(whole) == any {
			return fmt.Errorf("%v: wrong about %v", r, whole)
		}
	}
	if r.total() != total {
		return fmt.Errorf("%v has %d bytes, want %d", r, r.total(), total)
	}
	for i, s := range r {
		if s.len() <= 0 || i > 0 && s.off <= r[i-1].end {
			return fmt.Errorf("%v is not in order", r)
		}
	}
	return nil
}
