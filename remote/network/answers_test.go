package network_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

var errCalledOff = errors.New("called off")

// A change is a request that is made through Answers, and what comes of it.
type change struct {
	cancel  func()
	doubts  atomic.Int64
	written chan struct{} // closed when the transport has written it all
	done    chan struct{}
	body    string // of the answer
	err     error
}

// startChange makes a request over rt in a goroutine. Its context can be ended.
func startChange(t *testing.T, rt http.RoundTripper, method, url string, body io.Reader, length int64) *change {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	c := &change{cancel: func() { cancel(errCalledOff) }, written: make(chan struct{}), done: make(chan struct{})}
	ctx = remote.WithUnanswered(ctx, func() { c.doubts.Add(1) })
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(c.written) }})
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.ContentLength = length
	}
	go func() {
		defer close(c.done)
		answer, err := rt.RoundTrip(r)
		if err != nil {
			c.err = err
			return
		}
		b, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		c.body, c.err = string(b), err
	}()
	return c
}

// ends fails the test unless the request comes out like this.
func (c *change) ends(t *testing.T, want error, doubts int64) {
	t.Helper()
	<-c.done
	if !errors.Is(c.err, want) || want == nil && c.err != nil {
		t.Errorf("it ends with %v, want %v", c.err, want)
	}
	if n := c.doubts.Load(); n != doubts {
		t.Errorf("reported %d times, want %d", n, doubts)
	}
}

func transport(t *testing.T) (*network.Transport, http.RoundTripper) {
	base := network.Options{}.Transport(1)
	t.Cleanup(base.CloseIdleConnections)
	return base, network.Answers(base, nil)
}

// A way is a transport, and Answers over it.
type way func(t *testing.T) (*network.Transport, http.RoundTripper)

// bothWays runs a test with requests by net/http, and with small ones sent directly.
func bothWays(t *testing.T, test func(t *testing.T, transport way)) {
	t.Run("by net/http", func(t *testing.T) { test(t, transport) })
	t.Run("directly", func(t *testing.T) {
		test(t, func(t *testing.T) (*network.Transport, http.RoundTripper) {
			base, rt := transport(t)
			base.SendDirectly()
			return base, rt
		})
	})
}

// bodies are of one length, told or not, in memory or from elsewhere.
func bodies(n int) map[string]func() (io.Reader, int64) {
	content := bytes.Repeat([]byte("x"), n)
	return map[string]func() (io.Reader, int64){
		"in memory":        func() (io.Reader, int64) { return bytes.NewReader(content), int64(n) },
		"from elsewhere":   func() (io.Reader, int64) { return struct{ io.Reader }{bytes.NewReader(content)}, int64(n) },
		"of a size untold": func() (io.Reader, int64) { return struct{ io.Reader }{bytes.NewReader(content)}, -1 },
		"ends with its last byte": func() (io.Reader, int64) {
			return readFunc(func(p []byte) (int, error) { return copy(p, content), io.EOF }), -1
		},
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestWhatHasLeftIsWaitedFor(t *testing.T) { bothWays(t, testWhatHasLeftIsWaitedFor) }

func testWhatHasLeftIsWaitedFor(t *testing.T, transport way) {
	for what, body := range bodies(20_000) {
		t.Run(what, func(t *testing.T) {
			addr, accepted := listen(t)
			_, rt := transport(t)
			content, length := body()
			c := startChange(t, rt, "PUT", "http://"+addr, content, length)
			server := <-accepted
			defer server.Close()
			<-c.written // but nobody has read it
			c.cancel()
			select {
			case <-c.done:
				t.Errorf("the call is over, with %v, and the request can still arrive", c.err)
			case <-time.After(50 * time.Millisecond): // there is nothing to see when somebody waits
			}
			r, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r.Body); n != 20_000 || err != nil {
				t.Errorf("%d bytes arrive, %v", n, err)
			}
			_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nyes!")
			c.ends(t, nil, 0)
			if c.body != "yes!" {
				t.Errorf("the answer is %q", c.body)
			}
		})
	}
}

func TestWhatHasNotLeftNeverArrives(t *testing.T) { bothWays(t, testWhatHasNotLeftNeverArrives) }

func testWhatHasNotLeftNeverArrives(t *testing.T, transport way) {
	const size = 16 << 20 // more than there are buffers
	for what, body := range bodies(size) {
		t.Run(what, func(t *testing.T) {
			addr, accepted := listen(t)
			_, rt := transport(t)
			content, length := body()
			if length < 0 {
				content = struct{ io.Reader }{bytes.NewReader(make([]byte, size))}
			}
			c := startChange(t, rt, "PUT", "http://"+addr, content, length)
			server := <-accepted
			defer server.Close()
			r, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				t.Fatal(err)
			}
			c.cancel()
			c.ends(t, errCalledOff, 0)
			if n, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Errorf("the server sees a whole body of %d bytes", n)
			}
		})
	}
}

// The last bytes come at the moment when the context ends.
func TestTheEndIsNotGivenAwayAfterwards(t *testing.T) {
	addr, accepted := listen(t)
	_, rt := transport(t)
	reading, goOn := make(chan struct{}), make(chan struct{})
	n := 0
	body := readFunc(func(p []byte) (int, error) {
		if n++; n == 2 {
			close(reading)
			<-goOn
		}
		return copy(p, "1234"), nil
	})
	c := startChange(t, rt, "PUT", "http://"+addr, body, 8)
	server := <-accepted
	defer server.Close()
	<-reading
	c.cancel()
	b, _ := io.ReadAll(server)
	close(goOn)
	c.ends(t, errCalledOff, 0)
	if _, content, _ := strings.Cut(string(b), "\r\n\r\n"); len(content) > 4 {
		t.Errorf("%q arrives", content)
	}
}

func TestARequestWithoutABodyIsWaitedFor(t *testing.T) {
	for _, method := range []string{"DELETE", "MOVE", "COPY", "MKCOL", "POST"} {
		addr, accepted := listen(t)
		_, rt := transport(t)
		c := startChange(t, rt, method, "http://"+addr, nil, 0)
		server := <-accepted
		<-c.written
		c.cancel()
		if _, err := http.ReadRequest(bufio.NewReader(server)); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(server, "HTTP/1.1 204 No Content\r\n\r\n")
		c.ends(t, nil, 0)
		server.Close()
	}
}

func TestWhoOnlyLooksOrDoesNoHarmDoesNotWait(t *testing.T) {
	base, _ := transport(t)
	for _, method := range []string{"GET", "PROPFIND", "PUT"} {
		rt := network.Answers(base, func(r *http.Request) bool { return r.Method == "PUT" })
		addr, accepted := listen(t)
		c := startChange(t, rt, method, "http://"+addr, nil, 0)
		server := <-accepted
		<-c.written
		c.cancel()
		c.ends(t, errCalledOff, 0)
		server.Close()
	}
}

func TestARequestIsNotBegunAfterTheEnd(t *testing.T) {
	_, rt := transport(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCalledOff)
	closed := false
	body := struct {
		io.Reader
		io.Closer
	}{strings.NewReader("x"), closeFunc(func() error { closed = true; return nil })}
	r, _ := http.NewRequestWithContext(ctx, "PUT", "http://127.0.0.1:1", body)
	if _, err := rt.RoundTrip(r); !errors.Is(err, errCalledOff) || !closed {
		t.Errorf("%v; the body is closed: %v", err, closed)
	}
}

type closeFunc func() error

func (f closeFunc) Close() error { return f() }

func TestALostConnectionIsDoubtOnlyAfterTheEnd(t *testing.T) {
	bothWays(t, testALostConnectionIsDoubtOnlyAfterTheEnd)
}

func testALostConnectionIsDoubtOnlyAfterTheEnd(t *testing.T, transport way) {
	t.Run("no connection", func(t *testing.T) {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		l.Close()
		_, rt := transport(t)
		c := startChange(t, rt, "DELETE", "http://"+l.Addr().String(), nil, 0)
		<-c.done
		if c.err == nil || c.doubts.Load() != 0 {
			t.Errorf("%v, reported %d times", c.err, c.doubts.Load())
		}
	})
	for what, in := range map[string]struct {
		length, doubts int64
	}{"in the middle": {16 << 20, 0}, "at the end": {100, 1}, "in memory": {-100, 1}} {
		t.Run(what, func(t *testing.T) {
			addr, accepted := listen(t)
			_, rt := transport(t)
			body := io.LimitReader(readFunc(func(p []byte) (int, error) { return len(p), nil }), in.length)
			if in.length < 0 {
				body, in.length = bytes.NewReader(make([]byte, 100)), 100
			}
			c := startChange(t, rt, "PUT", "http://"+addr, body, in.length)
			server := <-accepted
			if in.doubts > 0 {
				r, err := http.ReadRequest(bufio.NewReader(server))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_ = server.(*net.TCPConn).SetLinger(0)
			server.Close()
			<-c.done
			if c.err == nil || c.doubts.Load() != in.doubts {
				t.Errorf("%v, reported %d times, want %d", c.err, c.doubts.Load(), in.doubts)
			}
		})
	}
}

func TestWhichAnswersAreNone(t *testing.T) { bothWays(t, testWhichAnswersAreNone) }

func testWhichAnswersAreNone(t *testing.T, transport way) {
	for _, in := range []struct {
		status int
		kind   string
		doubts int64
	}{
		{200, "", 0}, {204, "", 0}, {400, "text/html", 0}, {403, "", 0}, {412, "", 0}, {408, "", 1}, {499, "text/html", 1},
		{500, "application/xml", 0}, {500, "application/json; charset=UTF-8", 0}, {500, "text/html", 1}, {500, "", 1},
		{501, "", 0}, {502, "application/xml", 1}, {503, "application/xml", 0}, {503, "text/plain", 1}, {504, "", 1},
		{507, "text/html", 0}, {520, "text/html", 1},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = []string{in.kind}
			w.WriteHeader(in.status)
		}))
		base, rt := transport(t)
		for _, body := range []io.Reader{nil, strings.NewReader("x")} {
			c := startChange(t, rt, "PUT", s.URL, body, 1)
			<-c.done
			if c.err != nil || c.doubts.Load() != in.doubts {
				t.Errorf("%d %s: %v, reported %d times, want %d", in.status, in.kind, c.err, c.doubts.Load(), in.doubts)
			}
		}
		base.CloseIdleConnections()
		s.Close()
	}
}

func TestAYesThatBreaksOffIsNoAnswer(t *testing.T) { bothWays(t, testAYesThatBreaksOffIsNoAnswer) }

func testAYesThatBreaksOffIsNoAnswer(t *testing.T, transport way) {
	for status, doubts := range map[int]int64{200: 1, 403: 0} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, out, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(out, "HTTP/1.1 %d Status\r\nContent-Length: 10\r\n\r\nbut", status)
			out.Flush()
			conn.Close()
		}))
		_, rt := transport(t)
		startChange(t, rt, "POST", s.URL, strings.NewReader("x"), 1).ends(t, io.ErrUnexpectedEOF, doubts)
		s.Close()
	}
}

// pipes gives base connections to a server in this process that lies in no kernel, so that its time
// can be virtual.
func pipes(t *testing.T, base *network.Transport, serve func(conn net.Conn)) {
	base.DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go serve(there)
		return here, nil
	}
}

func TestAnAnswerThatNeverComesIsDoubt(t *testing.T) { bothWays(t, testAnAnswerThatNeverComesIsDoubt) }

func testAnAnswerThatNeverComesIsDoubt(t *testing.T, transport way) {
	synctest.Test(t, func(t *testing.T) {
		base, rt := transport(t)
		pipes(t, base, func(conn net.Conn) {
			_, _ = io.Copy(io.Discard, conn) // until it is closed
			conn.Close()
		})
		c := startChange(t, rt, "PUT", "http://server", strings.NewReader("x"), 1)
		<-c.written
		begin := time.Now()
		c.cancel()
		c.ends(t, errCalledOff, 1)
		if took := time.Since(begin); took != remote.AnswerTime {
			t.Errorf("it took %v", took)
		}
	})
}

func TestALibraryThatLooksAtItsContextGetsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, rt := transport(t)
		answer := make(chan struct{})
		pipes(t, base, func(conn net.Conn) {
			defer conn.Close()
			for in := bufio.NewReader(conn); ; {
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				<-answer
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		patient, release := network.Patient(ctx)
		defer release()
		do := func() error {
			r, _ := http.NewRequestWithContext(patient, "DELETE", "http://server", nil)
			a, err := rt.RoundTrip(r)
			if err == nil {
				a.Body.Close()
			}
			return err
		}
		done := make(chan error)
		go func() { done <- do() }()
		synctest.Wait()
		cancel(errCalledOff)
		synctest.Wait()
		close(answer)
		if err := <-done; err != nil || patient.Err() != nil {
			t.Errorf("%v, and the library sees %v", err, patient.Err())
		}
		if err := do(); !errors.Is(err, errCalledOff) {
			t.Errorf("it goes on after the end: %v", err)
		}
	})
}

func TestAnIdleConnectionThatIsClosedIsNoDoubt(t *testing.T) {
	bothWays(t, testAnIdleConnectionThatIsClosedIsNoDoubt)
}

func testAnIdleConnectionThatIsClosedIsNoDoubt(t *testing.T, transport way) {
	base, rt := transport(t)
	var conns []net.Conn
	addr, accepted := listen(t)
	base.DialContext = func(ctx context.Context, n, a string) (net.Conn, error) {
		if len(conns) > 0 {
			return nil, errors.New("not again")
		}
		c, err := network.Options{}.Dial(ctx, n, a)
		conns = append(conns, c)
		return c, err
	}
	c := startChange(t, rt, "PUT", "http://"+addr, strings.NewReader("x"), 1)
	server := <-accepted
	if r, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	c.ends(t, nil, 0)
	// Nothing can be written here, but the transport does not know yet.
	_ = conns[0].(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).CloseWrite()
	c = startChange(t, rt, "PUT", "http://"+addr, strings.NewReader("x"), 1)
	<-c.done
	server.Close()
	if c.err == nil || c.doubts.Load() != 0 {
		t.Errorf("%v, reported %d times", c.err, c.doubts.Load())
	}
}

func TestWhatIsMadeOnceIsNotMadeAgainInDoubt(t *testing.T) {
	requests, status := 0, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.WriteHeader(status)
	}))
	defer s.Close()
	_, rt := transport(t)
	for _, c := range []struct{ status, requests int }{{503, 1}, {204, 2}, {404, 2}} {
		ctx := network.Once(t.Context())
		requests, status = 0, c.status
		for range 2 {
			r, _ := http.NewRequestWithContext(ctx, "DELETE", s.URL, nil)
			if a, err := rt.RoundTrip(r); err == nil {
				a.Body.Close()
			}
		}
		if requests != c.requests {
			t.Errorf("after %d: %d requests, want %d", c.status, requests, c.requests)
		}
	}
}
