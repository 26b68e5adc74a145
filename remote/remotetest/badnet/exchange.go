package badnet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// chunk is how much of a body passes at once, at most.
const chunk = 32 << 10

// These end a body that did not come whole, and one that the server did not wait for.
var (
	errCut      = errors.New("cut")
	errAnswered = errors.New("answered already")
)

// exchange is one request and its answer. Three goroutines work on it: take reads the request from
// the client, deliver asks the server, reply answers the client. None of them stops because another
// failed.
type exchange struct {
	n      *Network
	number int
	fate   Fate
	hurry  <-chan struct{} // nothing is kept any more once it is closed
	req    *http.Request
	body   *spool

	expects bool // the client wants to be told to go on

	taken   chan struct{} // closed when nothing more comes from the client; then whole is set
	whole   bool
	answer  chan *http.Response // what the server says; closed when it says nothing
	replied chan struct{}       // closed when the answer is not needed any more
}

// begin takes in a request.
func (n *Network) begin(req *http.Request) *exchange {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	n.underway++
	x := &exchange{
		n: n, number: n.count, fate: n.fate(req.Method, req.RequestURI, req.ContentLength), hurry: n.hurry, req: req,
		expects: req.Header.Get("Expect") != "",
		taken:   make(chan struct{}), answer: make(chan *http.Response, 1), replied: make(chan struct{}),
	}
	req.Header.Del("Expect")
	req.Header.Set("Connection", "close") // with the server
	ahead := x.fate.Buffer
	if x.fate.later() {
		ahead = 0 // all of it
	}
	x.body = newSpool(ahead)
	n.note("#%d %s %s, %d bytes: %v", x.number, req.Method, req.RequestURI, req.ContentLength, x.fate)
	return x
}

func (n *Network) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.underway--
	if n.underway == 0 && n.idle != nil {
		close(n.idle)
		n.idle = nil
	}
}

// serve passes on the requests of one connection.
func (n *Network) serve(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { breakOff(conn) })()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		x := n.begin(req)
		n.wg.Go(func() { x.take(conn) })
		n.wg.Go(func() { x.deliver(ctx) })
		again := x.reply(ctx, conn)
		close(x.replied)
		if !again {
			breakOff(conn)
		}
		<-x.taken
		if !again || !x.whole || req.Close {
			return
		}
	}
}

func (x *exchange) note(format string, args ...any) {
	x.n.mu.Lock()
	defer x.n.mu.Unlock()
	x.n.note("#%d "+format, append([]any{x.number}, args...)...)
}

// take reads the body. The connection breaks where the fate says so.
func (x *exchange) take(conn *net.TCPConn) {
	defer close(x.taken)
	if x.expects {
		_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	var err error
	var n int64
	if x.fate.Cut && x.req.ContentLength != 0 && x.req.ContentLength != x.fate.CutAt {
		n, err = io.CopyN(x.body, x.req.Body, x.fate.CutAt)
		switch err {
		case nil:
			err = errCut
		case io.EOF: // it was shorter
			err = nil
		}
	} else {
		n, err = io.Copy(x.body, x.req.Body)
	}
	if x.fate.Cut {
		breakOff(conn)
	}
	if err != nil {
		x.note("is cut, %d bytes have come: %v", n, err)
		x.body.end(errCut)
		return
	}
	x.whole = true
	x.note("has come whole")
	x.body.end(io.EOF)
}

// wait returns after d, and when until is closed, or when there is no time to be lost. It is false
// when ctx ended before.
func (x *exchange) wait(ctx context.Context, d time.Duration, until <-chan struct{}) bool {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	for after != nil || until != nil {
		select {
		case <-after:
			after = nil
		case <-until:
			until = nil
		case <-x.hurry:
			return true
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// deliver hands the request to the server, and its answer to reply.
func (x *exchange) deliver(ctx context.Context) {
	defer x.n.end()
	defer x.body.drop()
	defer close(x.answer)
	if x.fate.later() {
		<-x.taken // also when ctx ends, which breaks the connection
		if x.fate.Lost {
			x.note("is lost")
			return
		}
		if !x.wait(ctx, x.fate.Late, x.fate.Until) {
			return
		}
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", x.n.target)
	if err != nil {
		x.note("does not reach the server: %v", err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	written := make(chan struct{})
	x.n.wg.Go(func() {
		defer close(written)
		x.send(ctx, conn.(*net.TCPConn))
	})
	x.receive(conn)
	conn.Close()
	x.body.drop()
	x.body.end(errAnswered) // for send, which has ended if the server wanted everything
	<-written
}

// send writes the request. One that was cut ends with the connection.
func (x *exchange) send(ctx context.Context, conn *net.TCPConn) {
	q, out := x.req, bufio.NewWriter(conn)
	fmt.Fprintf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.Method, q.RequestURI, q.Host)
	var body io.Writer = out
	chunked := io.WriteCloser(nil)
	switch {
	case q.ContentLength < 0:
		fmt.Fprint(out, "Transfer-Encoding: chunked\r\n")
		chunked = httputil.NewChunkedWriter(out)
		body = chunked
	case q.ContentLength > 0 || !reads(q.Method):
		fmt.Fprintf(out, "Content-Length: %d\r\n", q.ContentLength)
	}
	// Some servers refuse a length that is told twice. Whatever fails here shows when it is
	// flushed.
	_ = q.Header.WriteSubset(out, map[string]bool{"Content-Length": true})
	fmt.Fprint(out, "\r\n")
	n, err := x.pass(ctx, body, out)
	if err == nil && chunked != nil {
		_ = chunked.Close()
		_ = q.Trailer.Write(out)
		fmt.Fprint(out, "\r\n")
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	switch {
	case errors.Is(err, errCut):
		x.note("is delivered cut, %d bytes", n)
		_ = conn.CloseWrite()
	case err != nil:
		x.note("breaks on the way to the server after %d bytes: %v", n, err)
		breakOff(conn)
	default:
		x.note("has arrived")
	}
}

// pass copies the body at the rate of the fate.
func (x *exchange) pass(ctx context.Context, to io.Writer, out *bufio.Writer) (sent int64, err error) {
	size := int64(chunk)
	if x.fate.Rate > 0 {
		size = min(size, x.fate.Rate/50+1)
	}
	buf := make([]byte, size)
	begin := time.Now()
	for {
		n, err := x.body.Read(buf)
		if err == io.EOF || err == errAnswered && sent == x.req.ContentLength { // before the end was asked for
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
		if sent += int64(n); x.fate.Rate > 0 {
			due := begin.Add(time.Duration(float64(sent) / float64(x.fate.Rate) * float64(time.Second)))
			if d := time.Until(due); d > 0 && !x.wait(ctx, d, nil) {
				return sent, context.Cause(ctx)
			}
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return sent, err
		}
		if err := out.Flush(); err != nil {
			return sent, err
		}
	}
}

// receive takes the answer of the server, and returns when nobody needs it any more.
func (x *exchange) receive(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(in, x.req)
		if err != nil {
			x.note("has no answer of the server: %v", err)
			return
		}
		if answer.StatusCode < 200 && answer.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		x.note("the server says %s", answer.Status)
		defer answer.Body.Close()
		if x.fate.Answer != Passed || x.fate.Cut {
			_, _ = io.Copy(io.Discard, answer.Body) // then it is done
		}
		x.answer <- answer
		<-x.replied
		return
	}
}

// reply answers the client, and reports whether the connection can be used again.
func (x *exchange) reply(ctx context.Context, conn *net.TCPConn) bool {
	if x.fate.Answer == Ahead || x.fate.Cut {
		<-x.taken
		return x.whole && x.wait(ctx, x.fate.Wait, nil) && !x.fate.Cut && x.instead(conn)
	}
	answer, ok := x.await()
	switch {
	case !ok, !x.wait(ctx, x.fate.Wait, nil):
		return false
	case x.fate.Answer == Dropped:
		return x.instead(conn)
	}
	answer.Close = x.req.Close
	answer.Header.Del("Connection") // ours with the server
	out := bufio.NewWriter(conn)
	err := errors.Join(answer.Write(out), out.Flush())
	if err != nil {
		x.note("the answer does not reach the client: %v", err)
	}
	return err == nil && !answer.Close
}

// await returns the answer of the server; false means that there is none, or that the client has
// cut its request.
func (x *exchange) await() (*http.Response, bool) {
	taken := x.taken
	for {
		select {
		case answer, ok := <-x.answer:
			return answer, ok
		case <-taken:
			if taken = nil; !x.whole {
				return nil, false
			}
		}
	}
}

// instead answers in the place of the server.
func (x *exchange) instead(conn *net.TCPConn) bool {
	if x.fate.Status == 0 {
		return false
	}
	_, err := fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", x.fate.Status, http.StatusText(x.fate.Status))
	return err == nil
}

// breakOff resets a connection.
func breakOff(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	conn.Close()
}
