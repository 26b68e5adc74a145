package count

import (
	"math/bits"
	"time"
)

// Durations counts durations by their length: those of less than Bound(i) in the i-th number, as
// far as they are in no number before.
type Durations [2 * 27]int64

// Bound returns the upper bound of the i-th number: 1 µs, 1.5 µs, 2 µs, 3 µs and so on to 100 s.
func Bound(i int) time.Duration {
	d := time.Microsecond << (i / 2)
	if i%2 == 1 {
		d += d / 2
	}
	return d
}

// add counts d. What is too long for all counts for the last.
func (t *Durations) add(d time.Duration) {
	us := max(d/time.Microsecond, 0)
	n := bits.Len64(uint64(us)) // us < 1 << n
	i := 2 * n
	if n > 0 && us < 3<<n>>2 {
		i--
	}
	t[min(i, len(t)-1)]++
}
