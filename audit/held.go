package audit

import (
	"time"

	"ferry/events"
)

const (
	// holdTime is how long a line is held at most.
	holdTime = time.Second
	// maxHeld is how many bytes of lines are held at most.
	maxHeld = 32 << 10
)

// unanswered are the kinds that no client gets a reply to: their lines may be written later.
var unanswered = events.Of(events.Connect, events.Disconnect)

// held are lines that are written with the next one, or soon.
type held struct {
	lines []byte      // in order; the space is used again
	timer *time.Timer // writes them; nil until it is needed
	armed bool        // it will
}

// mayWait reports whether the line of e, which was added, is held.
//
// LOCKS_REQUIRED(l.mu)
func (l *Log) mayWait(e *events.Event) bool {
	if !e.More && !unanswered.Has(e.Kind) || l.file.rotor != nil || len(l.held.lines) >= maxHeld {
		return false // a line belongs into the file of its time
	}
	h := &l.held
	switch {
	case h.armed:
	case h.timer == nil:
		h.timer = time.AfterFunc(holdTime, l.writeHeld)
	default:
		h.timer.Reset(holdTime)
	}
	h.armed = true
	return true
}

// writeHeld writes what is held when its time has come.
func (l *Log) writeHeld() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.armed = false
	l.write()
}

// write writes what is held by one write, and reports whether the last line is there or will be.
//
// LOCKS_REQUIRED(l.mu)
func (l *Log) write() bool {
	if len(l.held.lines) == 0 {
		return false
	}
	written := l.file.add(l.held.lines)
	l.held.lines = l.held.lines[:0]
	return written
}

// end stops the timer, if it is there.
func (h *held) end() {
	if h.timer != nil {
		h.timer.Stop()
	}
}
