package ui

import (
	"net/http"
	"time"
)

const (
	// heartbeat is the longest time without a byte, so that nothing in between takes the stream for
	// dead.
	heartbeat = 15 * time.Second
	// patience is how long a viewer may take to receive something.
	patience = 10 * time.Second
	// maxViewers is how many may look at a time.
	maxViewers = 200
)

// join adds a viewer, with a frame at once; nil if there are too many, or the page is closed.
func (p *Page) join(now time.Time) *viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.viewers) >= maxViewers {
		return nil
	}
	v := &viewer{next: make(chan *frame, 1), gone: make(chan struct{})}
	v.offer(p.current(now))
	if p.closed { // meanwhile
		return nil
	}
	p.viewers[v] = struct{}{}
	return v
}

func (p *Page) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.viewers, v)
	p.asked = time.Now()
}

// live sends snapshots until the client leaves or the page is closed.
func (p *Page) live(w http.ResponseWriter, r *http.Request) {
	v := p.join(time.Now())
	if v == nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many look at this page, or the server is stopping.", http.StatusServiceUnavailable)
		return
	}
	defer p.leave(v)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a writer that has none needs none
	send := func(text []byte) bool {
		_ = c.SetWriteDeadline(time.Now().Add(patience))
		_, err := w.Write(text)
		return err == nil && c.Flush() == nil
	}
	if !send([]byte("retry: 2000\n\n")) {
		return
	}
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for {
		ok := true
		select {
		case f := <-v.next:
			ok = send(f.event)
		case <-beat.C:
			ok = send([]byte(": still here\n\n"))
		case <-v.gone:
			send([]byte("event: end\ndata: \n\n"))
			return
		case <-r.Context().Done():
			return
		}
		if !ok {
			return
		}
		beat.Reset(heartbeat)
	}
}
