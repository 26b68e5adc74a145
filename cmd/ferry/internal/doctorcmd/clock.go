package doctorcmd

import (
	"context"
	"sync"
	"time"

	"ferry/remote"
)

// apartLimit is how far clocks may be apart. S3 refuses requests from 15 minutes on.
const apartLimit = time.Minute

// Dates are the times that the remote tells with its answers, as the Date of HTTP. The zero value
// has seen none.
type Dates struct {
	mu       sync.Mutex
	there    time.Time // guarded by mu; zero = none
	from, to time.Time // guarded by mu: between these it was that time there
}

// Watch returns a context whose calls of the remote are looked at.
func (d *Dates) Watch(ctx context.Context) context.Context {
	return remote.WithClock(ctx, func(there, sent time.Time) {
		now := time.Now()
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.there.IsZero() || now.Sub(sent) < d.to.Sub(d.from) { // the shortest request says most
			d.there, d.from, d.to = there, sent, now
		}
	})
}

// seen reports whether the remote has told its time. nil has seen none.
func (d *Dates) seen() bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.there.IsZero()
}

// Tell notes whether the clock of the remote goes as that of this machine, if it has told its time.
func (d *Dates) Tell(r *Report) {
	if d.seen() {
		Clock(r, d.there, d.from, d.to, "by the Date of its answers")
	}
}

// clock compares the clocks here and there by the time of a file that was written in between, where
// the remote has not told its time itself.
func (s *Speed) clock(ctx context.Context, r *Report, from, to time.Time) {
	if s.Dates.seen() {
		return
	}
	if s.Remote.Info().Caps.CheapStat {
		r.Skip(areaRemote, "clock", "it is that of this machine")
		return
	}
	e, err := s.Remote.Stat(ctx, s.name)
	if err != nil || e.ModTime.IsZero() {
		r.Skip(areaRemote, "clock", "the remote does not tell its time: neither in its answers nor by that of a file")
		return
	}
	Clock(r, e.ModTime, from, to, "by the time of a file written there")
}

// Clock notes whether a time that the remote has told lies between two of this machine, and by what
// it has told it.
func Clock(r *Report, there, from, to time.Time, by string) {
	apart := time.Duration(0)
	switch {
	case there.After(to):
		apart = there.Sub(to)
	case there.Before(from):
		apart = from.Sub(there)
	}
	if apart > apartLimit {
		r.Warn(areaRemote, "clock", "set the clock of this machine, or of the remote (timedatectl set-ntp true): signatures of S3 and "+
			"certificates depend on it", "%v apart, %s", apart.Round(time.Second), by)
		return
	}
	r.OK(areaRemote, "clock", "as here, to %v, %s", apartLimit, by)
}
