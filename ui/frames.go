package ui

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// A frame is a snapshot, ready to be sent.
type frame struct {
	seq   uint64
	state State  // of which it was made
	json  []byte // the Snapshot
	event []byte // the same as a server-sent event
}

// watched reports whether somebody looks, or has looked a moment ago.
func (p *Page) watched(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.viewers) > 0 || now.Sub(p.asked) < checkInterval
}

// Snapshot returns the latest snapshot as JSON. It makes one unless there is one of the last
// second.
func (p *Page) Snapshot() []byte { return p.look(time.Now()).json }

// look returns the frame of a caller who is not a viewer.
func (p *Page) look(now time.Time) *frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = now
	return p.current(now)
}

// current returns the latest frame, a new one if it is time for that. One caller makes it, without
// the lock; the others get the one before, or wait if there is none.
//
// LOCKS_REQUIRED(p.mu)
func (p *Page) current(now time.Time) *frame {
	for p.last == nil && p.making != nil {
		done := p.making
		p.mu.Unlock()
		<-done
		p.mu.Lock()
	}
	if p.making != nil || p.last != nil && now.Before(p.ready) {
		return p.last
	}
	p.making = make(chan struct{})
	p.mu.Unlock()
	began := time.Now()
	st := p.opt.Source.Look()
	p.mu.Lock()
	p.made++
	s := p.snapshot(now, &st)
	s.Seq = p.made
	text, err := json.Marshal(s)
	if err != nil { // no value of a Snapshot makes that happen
		text = []byte("{}")
	}
	p.last = &frame{seq: p.made, state: st, json: text, event: eventOf(p.made, text)}
	// A little earlier than the next tick, which would else come too early half of the time.
	p.ready = now.Add(max(interval*9/10, share*time.Since(began)))
	close(p.making)
	p.making = nil
	return p.last
}

// publish sends the latest frame to the viewers who have not got it.
func (p *Page) publish(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.viewers) == 0 {
		return
	}
	f := p.current(now)
	for v := range p.viewers {
		v.offer(f)
	}
}

// close ends the streams of the viewers.
func (p *Page) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for v := range p.viewers {
		close(v.gone)
	}
	clear(p.viewers)
}

// Made returns how many snapshots were made.
func (p *Page) Made() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

// A viewer receives frames. One that is slow misses some.
type viewer struct {
	last uint64        // guarded by Page.mu: the frame that it was offered last
	next chan *frame   // of length 1: the latest that it has not got yet
	gone chan struct{} // closed when there will be no more
}

// offer makes f the next frame, unless v has got it. It does not wait.
//
// LOCKS_REQUIRED(Page.mu)
func (v *viewer) offer(f *frame) {
	if v.last == f.seq {
		return
	}
	v.last = f.seq
	select {
	case <-v.next:
	default:
	}
	v.next <- f
}

// eventOf returns a snapshot as a server-sent event.
func eventOf(seq uint64, text []byte) []byte {
	var b bytes.Buffer
	b.WriteString("id: ")
	b.WriteString(strconv.FormatUint(seq, 10))
	b.WriteString("\ndata: ")
	b.Write(text) // JSON has no line ends
	b.WriteString("\n\n")
	return b.Bytes()
}
