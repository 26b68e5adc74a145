package rcbridge

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"ferry/config"
	"ferry/rc"
)

// A Bandwidth is the limit of all remotes that core/bwlimit turns, and a configuration that is read
// again.
type Bandwidth struct {
	connected atomic.Bool // something asks At
	current   atomic.Pointer[config.Bandwidth]
}

var _ rc.Bandwidth = (*Bandwidth)(nil)

// NewBandwidth returns one that begins with b.
func NewBandwidth(b config.Bandwidth) *Bandwidth {
	d := &Bandwidth{}
	d.current.Store(&b)
	return d
}

// Connect returns At for the decorator that keeps the limits, and notes that there is one.
func (d *Bandwidth) Connect() func(time.Time) (up, down int64) {
	d.connected.Store(true)
	return d.At
}

// At returns the limits at a time.
func (d *Bandwidth) At(t time.Time) (up, down int64) { return d.current.Load().At(t) }

// Connected reports whether something keeps the limits.
func (d *Bandwidth) Connected() bool { return d.connected.Load() }

// Set changes the limits.
func (d *Bandwidth) Set(b config.Bandwidth) { d.current.Store(&b) }

// Limits returns what holds now.
func (d *Bandwidth) Limits() (up, down int64, rate string) {
	up, down = d.At(time.Now())
	rate = writtenRate(up)
	if up != down {
		rate += ":" + writtenRate(down)
	}
	return up, down, rate
}

func writtenRate(n int64) string {
	if n < 0 {
		return config.SizeOff.String()
	}
	return config.Size(n).String()
}

// SetRate changes the limits. It takes no timetable.
func (d *Bandwidth) SetRate(rate string) error {
	if strings.ContainsAny(rate, " ,;") {
		return errors.New("need exactly 1 bandwidth setting")
	}
	b, err := config.ParseBandwidth(rate)
	if err != nil {
		return fmt.Errorf("bad bwlimit: %w", err)
	}
	if up, down := b.At(time.Now()); !d.connected.Load() && (up >= 0 || down >= 0) {
		return errors.New("a local directory is served without a limiter, so that its files need not be copied: start ferry with --bwlimit off to have one that can be set")
	}
	d.current.Store(&b)
	return nil
}
