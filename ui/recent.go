package ui

import (
	"context"
	"slices"
	"sync"
	"time"

	"ferry/events"
)

const (
	// recentRows is how many logins and transfers are remembered.
	recentRows = 100
	// maxFailed is how many addresses with failed logins are remembered.
	maxFailed = 1000
)

// A Login is a successful login, or a refused one.
type Login struct {
	Time    time.Time `json:"time"`
	User    string    `json:"user"`
	Address string    `json:"address"`
	Client  string    `json:"client"`
	TLS     string    `json:"tls"`
	OK      bool      `json:"ok"`
	Cause   string    `json:"cause"` // of a refusal
}

// Failed is an address whose logins were refused.
type Failed struct {
	Address string    `json:"address"`
	Times   int       `json:"times"`
	Last    time.Time `json:"last"`
	User    string    `json:"user"` // the last one that was tried
	Cause   string    `json:"cause"`
}

// Ended is a transfer that has ended.
type Ended struct {
	Time   time.Time `json:"time"`
	User   string    `json:"user"`
	Upload bool      `json:"upload"`
	Path   string    `json:"path"`
	Bytes  int64     `json:"bytes"`
	Took   float64   `json:"took"` // seconds
	OK     bool      `json:"ok"`
	Cause  string    `json:"cause"`
}

// A Recorder remembers the latest logins and transfers, newest first. Its methods may be called
// concurrently.
type Recorder struct {
	mu     sync.Mutex
	ended  ring[Ended]        // guarded by mu
	logins ring[Login]        // guarded by mu
	failed map[string]*Failed // guarded by mu; by address
}

var _ events.Listener = (*Recorder)(nil)

// recorded are the events that a Recorder listens to.
const recorded = 1<<events.Login | 1<<events.LoginRefused | 1<<events.Download | 1<<events.UploadReceived | 1<<events.UploadAborted

// NewRecorder returns a Recorder that remembers nothing yet.
func NewRecorder() *Recorder { return &Recorder{failed: map[string]*Failed{}} }

// Subscription is what has r told of what it remembers.
func (r *Recorder) Subscription() events.Subscription {
	return events.Subscription{Kinds: recorded, Listener: r, Nameless: true}
}

// Record implements events.Listener.
func (r *Recorder) Record(_ context.Context, e *events.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case events.Login, events.LoginRefused:
		l := Login{Time: e.Time, User: e.User, Address: e.Address.String(), Client: e.Client, TLS: e.TLS, OK: e.Kind == events.Login, Cause: e.Cause}
		r.logins.add(l)
		if !l.OK {
			r.fail(e)
		}
	case events.Download, events.UploadReceived, events.UploadAborted:
		r.ended.add(Ended{
			Time: e.Time, User: e.User, Upload: e.Kind != events.Download, Path: e.Path, Bytes: e.Bytes,
			Took: e.Duration.Seconds(), OK: e.Result == events.OK && e.Kind != events.UploadAborted, Cause: e.Cause,
		})
	}
	return nil
}

// fail counts a refused login. Of too many addresses the one whose last was longest ago goes.
//
// LOCKS_REQUIRED(r.mu)
func (r *Recorder) fail(e *events.Event) {
	addr := e.Address.Addr().Unmap().String()
	f := r.failed[addr]
	if f == nil {
		if len(r.failed) >= maxFailed {
			r.forgetOldest()
		}
		f = &Failed{Address: addr}
		r.failed[addr] = f
	}
	f.Times++
	f.Last, f.User, f.Cause = e.Time, e.User, e.Cause
}

// LOCKS_REQUIRED(r.mu)
func (r *Recorder) forgetOldest() {
	var oldest *Failed
	for _, f := range r.failed {
		if oldest == nil || f.Last.Before(oldest.Last) {
			oldest = f
		}
	}
	delete(r.failed, oldest.Address)
}

// remembered is what a Recorder knows at a moment.
type remembered struct {
	ended  []Ended
	logins []Login
	failed []Failed
}

func (r *Recorder) copy() remembered {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := remembered{ended: r.ended.newest(), logins: r.logins.newest()}
	for _, f := range r.failed {
		m.failed = append(m.failed, *f)
	}
	slices.SortFunc(m.failed, func(a, b Failed) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return slices.Compare([]byte(a.Address), []byte(b.Address))
	})
	return m
}

// A ring keeps the last recentRows that were added.
type ring[T any] struct {
	rows  []T
	first int // the oldest, once rows is full
}

func (r *ring[T]) add(row T) {
	if len(r.rows) < recentRows {
		r.rows = append(r.rows, row)
		return
	}
	r.rows[r.first] = row
	r.first = (r.first + 1) % recentRows
}

// newest returns a copy, newest first.
func (r *ring[T]) newest() []T {
	all := slices.Concat(r.rows[r.first:], r.rows[:r.first])
	slices.Reverse(all)
	return all
}
