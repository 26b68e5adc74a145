package ui

import "time"

// A series counts bytes by steps of time.
type series struct {
	Step    time.Duration
	Last    int64   // the number of the newest step since 1970
	In, Out []int64 // step n is at n modulo the length
}

func newSeries(step time.Duration, n int) series {
	return series{Step: step, In: make([]int64, n), Out: make([]int64, n)}
}

// add counts bytes at a time. A clock that went back counts for the newest step.
func (s *series) add(now time.Time, in, out int64) {
	s.forward(now)
	i := s.index(s.Last)
	s.In[i] += in
	s.Out[i] += out
}

// forward empties the steps between the newest one and now, which becomes the newest.
func (s *series) forward(now time.Time) {
	step, n := now.UnixNano()/int64(s.Step), int64(len(s.In))
	for at := max(s.Last+1, step-n+1); at <= step; at++ {
		i := s.index(at)
		s.In[i], s.Out[i] = 0, 0
	}
	s.Last = max(s.Last, step)
}

func (s *series) index(step int64) int { return int(step % int64(len(s.In))) }

// lately returns the bytes per second of the n steps before the newest one, which is not over.
func (s *series) lately(n int64) (in, out float64) {
	for at := s.Last - n; at < s.Last; at++ {
		if at > 0 {
			in += float64(s.In[s.index(at)])
			out += float64(s.Out[s.index(at)])
		}
	}
	span := (time.Duration(n) * s.Step).Seconds()
	return in / span, out / span
}

// like reports whether s has the form of other, and is not of a time after now.
func (s *series) like(other *series, now time.Time) bool {
	return s.Step == other.Step && len(s.In) == len(other.In) && len(s.Out) == len(other.Out) &&
		s.Last >= 0 && s.Last <= now.UnixNano()/int64(s.Step)
}
