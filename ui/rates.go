package ui

import "time"

// rateSpan is the time over which the rate of a transfer is taken.
const rateSpan = 5 * time.Second

// rates knows how fast transfers were lately. The zero value knows none.
type rates struct {
	now  time.Time
	past map[transferKey][]point // of the running transfers, oldest point first
}

// transferKey tells transfers apart.
type transferKey struct {
	session uint64
	began   int64
}

// A point is how far a transfer was at a time.
type point struct {
	at    time.Time
	bytes int64
}

func keyOf(s *Session) transferKey { return transferKey{s.ID, s.Began.UnixNano()} }

// note takes down how far the transfers are, and forgets those that have ended.
func (r *rates) note(now time.Time, sessions []Session) {
	past := make(map[transferKey][]point, len(r.past))
	for i := range sessions {
		s := &sessions[i]
		if s.Command == "" {
			continue
		}
		points := append(r.past[keyOf(s)], point{now, s.Bytes})
		for len(points) > 2 && now.Sub(points[1].at) >= rateSpan {
			points = points[1:]
		}
		past[keyOf(s)] = points
	}
	r.now, r.past = now, past
}

// of returns the bytes per second of the transfer that s runs: of the last seconds, or since its
// beginning where those are not known.
func (r *rates) of(s *Session) float64 {
	points := r.past[keyOf(s)]
	if len(points) == 0 {
		return 0
	}
	first, last := point{at: s.Began}, points[len(points)-1]
	if len(points) > 1 {
		first = points[0]
	}
	if took := last.at.Sub(first.at).Seconds(); took > 0 {
		return max(float64(last.bytes-first.bytes)/took, 0)
	}
	return 0
}
