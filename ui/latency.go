package ui

import (
	"slices"
	"time"
)

// latencySpan is how long calls count for how a remote does.
const latencySpan = 5 * time.Minute

// latencies knows how long the calls of remotes took lately. The zero value knows nothing.
type latencies struct {
	past map[string][]counted // by remote, oldest first
}

// counted are the numbers of a remote at a time.
type counted struct {
	at   time.Time
	took []int64
}

// of notes the numbers of r, and returns how long half of its calls, and 99 of 100, took at most:
// those of the last minutes, or all while there are no others.
func (l *latencies) of(now time.Time, r Remote) (median, slowest time.Duration) {
	if l.past == nil {
		l.past = map[string][]counted{}
	}
	past := l.past[r.Tree]
	if n := len(past); n == 0 || now.Sub(past[n-1].at) >= latencySpan/30 {
		past = append(past, counted{now, slices.Clone(r.Took)})
	}
	for len(past) > 1 && now.Sub(past[1].at) >= latencySpan {
		past = past[1:]
	}
	l.past[r.Tree] = past
	took := slices.Clone(r.Took)
	for i, n := range past[0].took {
		if i < len(took) {
			took[i] -= n
		}
	}
	if sum(took) == 0 {
		took = r.Took
	}
	return quantile(took, r.Bounds, 0.5), quantile(took, r.Bounds, 0.99)
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// quantile returns the time that a share of the calls took at most, 0 without any.
func quantile(counts []int64, bounds []time.Duration, share float64) time.Duration {
	wanted := share * float64(sum(counts))
	if wanted == 0 {
		return 0
	}
	var below float64
	for i, n := range counts {
		if n == 0 || i >= len(bounds) {
			continue
		}
		if below+float64(n) >= wanted {
			from := time.Duration(0)
			if i > 0 {
				from = bounds[i-1]
			}
			return from + time.Duration(float64(bounds[i]-from)*(wanted-below)/float64(n))
		}
		below += float64(n)
	}
	return bounds[len(bounds)-1]
}
