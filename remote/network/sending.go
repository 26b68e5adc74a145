package network

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// A sending is a request on its way.
type sending struct {
	request *http.Request // as it is sent
	report  func()        // that there is no answer
	ended   func() error  // why the context that governs the request has ended; nil while it has not
	callOff func(error)   // ends the context that the request is sent under
	free    func()        // what end does
	once    sync.Once     // of free
	small   bool          // it leaves as a whole

	reading chan struct{} // holds one while the body is read
	over    atomic.Bool   // the body is not to be read any more

	mu       sync.Mutex
	state    state    // guarded by mu
	attempts int      // guarded by mu; connections that the transport has looked for
	conn     net.Conn // guarded by mu; what it is sent by
	before   int64    // guarded by mu; how many bytes had been written there before
}

// Before the server can have seen all of a request, it is either cut or committed, never both.
type state uint8

const (
	open      state = iota
	cut             // the last byte does not leave any more
	committed       // the last byte may have left
)

// oneWrite is how much of a body surely leaves together with the header.
const oneWrite = 64 << 10

// newSending returns what sends r, governed by ctx. It ends with until at the latest, which release
// frees.
func newSending(ctx, until context.Context, release func(), r *http.Request) *sending {
	s := &sending{reading: make(chan struct{}, 1), report: func() { remote.Unanswered(ctx) }}
	s.ended = func() error {
		if ctx.Err() == nil {
			return nil
		}
		return context.Cause(ctx)
	}
	under, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	s.callOff = cancel
	stopCut := context.AfterFunc(ctx, s.cutOff)
	stopWaiting := context.AfterFunc(until, func() { cancel(context.Cause(until)) })
	s.free = func() {
		stopCut()
		stopWaiting()
		release()
		cancel(nil)
	}
	under = httptrace.WithClientTrace(under, &httptrace.ClientTrace{
		GetConn: func(string) { s.begin() },
		GotConn: func(i httptrace.GotConnInfo) { s.useConn(i.Conn) },
	})
	s.request = r.WithContext(under)
	s.small = isSmall(r)
	if !s.small {
		s.request.Body = s.body(r.Body, r.ContentLength)
		if r.GetBody != nil {
			s.request.GetBody = func() (io.ReadCloser, error) {
				again, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				return s.body(again, r.ContentLength), nil
			}
		}
	}
	return s
}

// isSmall reports whether a request needs nobody but the transport to leave, and little of its
// time: it has no body, or a short one in memory. The transport sends such a one in one piece, if
// it is not wrapped.
func isSmall(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	_, inMemory := r.Body.(io.WriterTo) // what http.NewRequest makes of readers of bytes and strings
	return inMemory && r.ContentLength > 0 && r.ContentLength <= oneWrite
}

// begin is called before a connection is looked for. The transport does so again only when it could
// not write anything.
func (s *sending) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attempts++; s.attempts == 1 || s.state != committed {
		return
	}
	s.state, s.conn = open, nil
	if cause := s.ended(); cause != nil { // which was of no account until now
		s.state = cut
		s.callOff(cause)
	}
}

// useConn is called before anything is written to a connection. It cannot stop the transport from
// doing so otherwise.
func (s *sending) useConn(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == cut {
		Reset(c)
		return
	}
	s.conn, s.before = c, 0
	if w := watched(c); w != nil {
		s.before = w.written.Load()
	}
	if s.small {
		s.state = committed
	}
}

// cutOff breaks the request off, unless it is too late for that. Length or chunks tell the server
// that something is missing when the connection ends, but not every server looks; a reset it does
// not overlook, and what is still in buffers here is not sent for nothing.
func (s *sending) cutOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == committed {
		return
	}
	s.state = cut
	if s.conn != nil {
		Reset(s.conn)
	}
	s.callOff(s.ended())
}

// commit is called before the last byte is given away, and reports whether it may be.
func (s *sending) commit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == cut {
		return false
	}
	s.state = committed
	return true
}

func (s *sending) isCut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == cut
}

func (s *sending) isCommitted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == committed
}

// inDoubt reports whether the server may have got a request that was not answered.
func (s *sending) inDoubt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != committed {
		return false
	}
	w := watched(s.conn)
	return w == nil || w.written.Load() > s.before // an idle connection may turn out to be closed
}

// end frees what the sending holds. A body that was not sent to its end by now is not wanted any
// more.
func (s *sending) end() {
	s.mu.Lock()
	if s.state == open {
		s.state = cut
	}
	s.mu.Unlock()
	s.once.Do(s.free)
	s.over.Store(true)
	select { // a reader that waits for a client may take as long as that; nobody moves such a one
	case s.reading <- struct{}{}:
		<-s.reading
	case <-time.After(readTime):
	}
}

// readTime is how long the end of a request waits for a Read of its body that is under way. In
// memory it takes no time.
const readTime = 50 * time.Millisecond

var errOver = errors.New("the request is over")

// whyCut is what reading the body of a request fails with that was cut.
func (s *sending) whyCut() error { return cmp.Or(s.ended(), errOver) }

// A sentBody is the body of a request.
type sentBody struct {
	io.ReadCloser
	s    *sending
	left int64 // below 0: nobody knows
}

func (s *sending) body(r io.ReadCloser, length int64) io.ReadCloser {
	if length == 0 { // so the transport reads it: unknown, as there is a body
		length = -1
	}
	return &sentBody{r, s, length}
}

// Read implements io.Reader. Once the request is cut or over, nothing is read any more: the
// transport may still be at it when a server has answered early, and a library that repeats the
// request then moves the same reader.
func (b *sentBody) Read(p []byte) (int, error) {
	b.s.reading <- struct{}{}
	defer func() { <-b.s.reading }()
	if b.s.over.Load() || b.s.isCut() {
		return 0, b.s.whyCut()
	}
	n, err := b.ReadCloser.Read(p)
	last := err == io.EOF
	if b.left >= 0 {
		b.left = max(b.left-int64(n), 0)
		last = b.left == 0
	}
	if last && !b.s.commit() || !last && b.s.isCut() {
		return 0, b.s.whyCut()
	}
	return n, err
}

// watch keeps the context of an answer alive until its body was read or closed. One that says yes
// and breaks off is none: some servers say so before they are done, and what became of it at the
// end.
func (s *sending) watch(answer *http.Response) {
	if answer.Body == nil || answer.Body == http.NoBody {
		s.end()
		return
	}
	answer.Body = &answerBody{ReadCloser: answer.Body, s: s, refused: answer.StatusCode >= http.StatusMultipleChoices}
}

type answerBody struct {
	io.ReadCloser
	s       *sending
	refused bool
	broken  bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.s.end()
	} else if err != nil && !b.broken && !b.refused && b.s.isCommitted() {
		b.broken = true
		b.s.report()
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.s.end()
	return err
}
