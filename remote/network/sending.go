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

// A sending is a request in progress.
type sending struct {
	request *http.Request // as it is sent
	report  func()        // called when there is no answer
	ended   func() error  // cause of the end of the governing context; nil until then
	callOff func(error)   // cancels the context that the request is sent under
	free    func()        // releases resources; called by end
	once    sync.Once     // of free
	small   bool          // it is sent in one piece

	reading chan struct{} // holds one while the body is read
	over    atomic.Bool   // the body must not be read any more

	mu       sync.Mutex
	state    state    // guarded by mu
	attempts int      // guarded by mu; connections that the transport has requested
	conn     net.Conn // guarded by mu; carries the request
	before   int64    // guarded by mu; bytes written to conn before this request
}

// A request becomes either cut or committed, never both, before the server can have received all of
// it.
type state uint8

const (
	open      state = iota
	cut             // the last byte will not be sent
	committed       // the last byte may have been sent
)

// oneWrite is the length of a body that is certainly sent together with the header.
const oneWrite = 64 << 10

// newSending returns a sending of r, governed by ctx. It ends with until at the latest, which
// release frees.
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

// isSmall reports whether the transport can send a request at once, without waiting for a reader:
// it has no body, or a short one in memory. The transport sends such a body in one piece if it is
// not wrapped.
func isSmall(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	_, inMemory := r.Body.(io.WriterTo) // as http.NewRequest wraps readers of bytes and strings
	return inMemory && r.ContentLength > 0 && r.ContentLength <= oneWrite
}

// begin is called before the transport requests a connection. It is called again only if nothing
// could be written.
func (s *sending) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attempts++; s.attempts == 1 || s.state != committed {
		return
	}
	s.state, s.conn = open, nil
	if cause := s.ended(); cause != nil { // which had no effect until now
		s.state = cut
		s.callOff(cause)
	}
}

// useConn is called before anything is written to a connection, and cannot prevent the write
// otherwise.
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

// cutOff breaks the request off, unless it is too late. By length or chunks a server can notice
// that the body is incomplete when the connection ends, but not every server checks. None overlooks
// a reset, which also saves sending the bytes that are still in local buffers.
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

// commit is called before the last byte is passed on, and reports whether it may be.
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

// inDoubt reports whether the server may have received an unanswered request.
func (s *sending) inDoubt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != committed {
		return false
	}
	w := watched(s.conn)
	return w == nil || w.written.Load() > s.before // an idle connection may turn out to be closed
}

// end releases the resources of the sending. A body that was not sent completely by now is not
// needed any more.
func (s *sending) end() {
	s.mu.Lock()
	if s.state == open {
		s.state = cut
	}
	s.mu.Unlock()
	s.once.Do(s.free)
	s.over.Store(true)
	select { // a reader may block for as long as its client takes; no library moves such a one
	case s.reading <- struct{}{}:
		<-s.reading
	case <-time.After(readTime):
	}
}

// readTime is how long the end of a request waits for a Read of its body that is in progress. In
// memory it takes no time.
const readTime = 50 * time.Millisecond

var errOver = errors.New("the request is over")

// whyCut returns the error of reading the body of a request that was cut.
func (s *sending) whyCut() error { return cmp.Or(s.ended(), errOver) }

// A sentBody is the body of a request.
type sentBody struct {
	io.ReadCloser
	s    *sending
	left int64 // below 0: unknown
}

func (s *sending) body(r io.ReadCloser, length int64) io.ReadCloser {
	if length == 0 { // so the transport reads it: unknown, as there is a body
		length = -1
	}
	return &sentBody{r, s, length}
}

// Read implements io.Reader. Once the request is cut or over, nothing is read any more: the
// transport may still be reading when a server has answered early, and a library that repeats the
// request then rewinds the same reader.
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

// watch keeps the context of an answer alive until its body was read or closed. A successful answer
// that breaks off does not count: some servers send the status before they are done, and the
// outcome at the end.
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
