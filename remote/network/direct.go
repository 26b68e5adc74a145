package network

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// A direct sends small requests, and reads their answers, in the goroutine of the caller, by
// connections of its own. net/http has two goroutines for each connection; where a request waits
// for nothing but its answer, waking them one after the other costs more than all else.
type direct struct {
	base    *http.Transport // how to connect, and for how long
	writers sync.Pool       // of *bufio.Writer, which nobody needs between requests

	mu    sync.Mutex
	idle  map[string][]*directConn // guarded by mu; by scheme and address, the last used one last
	over  bool                     // guarded by mu; connections are closed after their request
	sweep *time.Timer              // guarded by mu; closes those that nobody has used; nil = there are none
}

// A directConn carries one request at a time.
type directConn struct {
	net.Conn
	to      string // its key in idle
	since   time.Time
	limit   io.LimitedReader
	in      *bufio.Reader
	isFresh bool // it has carried nothing yet
}

const (
	maxHeader   = 10 << 20 // of an answer, as net/http has it
	maxInterims = 5        // answers before the answer
)

// fits reports whether a request is small and needs nothing that only net/http does.
func (d *direct) fits(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody || !isSmall(r) || r.URL == nil || r.URL.Host == "" || r.Close || d.base.DisableKeepAlives ||
		d.base.DialContext == nil || r.Header.Get("Expect") != "" || len(r.Trailer) > 0 || !isPlain(r) {
		return false
	}
	if d.base.Proxy != nil {
		if proxy, err := d.base.Proxy(r); err != nil || proxy != nil {
			return false
		}
	}
	return true
}

// isPlain reports whether nothing of a request has to be refused or rewritten before it is sent.
func isPlain(r *http.Request) bool {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" || !isText(r.URL.Host) || !isText(r.Host) {
		return false
	}
	for name, values := range r.Header {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool {
			return c <= ' ' || c >= 0x7F || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
		}) {
			return false
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7F }) {
				return false
			}
		}
	}
	return true
}

func isText(host string) bool {
	return !strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c >= 0x7F })
}

// roundTrip makes a request that fits. Where nothing of it could be written, it is made again by
// another connection.
func (d *direct) roundTrip(r *http.Request) (*http.Response, error) {
	for {
		c, err := d.connect(r)
		if err != nil {
			r.Body.Close()
			return nil, cmp.Or(context.Cause(r.Context()), err)
		}
		answer, nothing, err := d.by(c, r)
		if err == nil {
			return answer, nil
		}
		if ended := context.Cause(r.Context()); ended != nil {
			return nil, ended
		}
		if !nothing || c.isFresh || r.GetBody == nil {
			return nil, err
		}
		again, bodyErr := r.GetBody()
		if bodyErr != nil {
			return nil, err
		}
		r = r.WithContext(r.Context())
		r.Body = again
	}
}

// connect returns a connection for a request, and tells its trace.
func (d *direct) connect(r *http.Request) (*directConn, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	addr := r.URL.Host
	if r.URL.Port() == "" {
		addr = net.JoinHostPort(r.URL.Hostname(), map[bool]string{true: "443", false: "80"}[r.URL.Scheme == "https"])
	}
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(addr)
	}
	to := r.URL.Scheme + "://" + addr
	c := d.take(to)
	if c == nil {
		conn, err := d.dial(r, addr)
		if err != nil {
			return nil, err
		}
		c = &directConn{Conn: conn, to: to, limit: io.LimitedReader{R: conn}, isFresh: true}
		c.in = bufio.NewReader(&c.limit)
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: c.Conn, Reused: !c.isFresh, WasIdle: !c.isFresh})
	}
	return c, nil
}

func (d *direct) dial(r *http.Request, addr string) (net.Conn, error) {
	conn, err := d.base.DialContext(r.Context(), "tcp", addr)
	if err != nil || r.URL.Scheme != "https" {
		return conn, err
	}
	config := d.base.TLSClientConfig.Clone()
	config.ServerName = cmp.Or(config.ServerName, r.URL.Hostname())
	secure := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(r.Context(), d.base.TLSHandshakeTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// by makes a request by a connection. nothing reports, of one that has failed, that the server
// cannot have received a byte of it.
func (d *direct) by(c *directConn, r *http.Request) (answer *http.Response, nothing bool, err error) {
	stop := context.AfterFunc(r.Context(), func() { c.Close() })
	w := watched(c.Conn)
	var before int64
	if w != nil {
		before = w.written.Load()
	}
	err = d.write(c, r)
	nothing = w != nil && w.written.Load() == before
	if err == nil || !nothing && !isTimeout(err) { // a server that refuses a request may have read a part of it only
		var answerErr error
		if answer, answerErr = c.answer(r); answerErr == nil {
			answer.Close = answer.Close || err != nil
			d.watch(c, answer, stop)
			return answer, false, nil
		}
		err = cmp.Or(err, answerErr)
	}
	stop()
	c.Close()
	return nil, nothing, err
}

// write sends a request in one piece.
func (d *direct) write(c *directConn, r *http.Request) error {
	out, _ := d.writers.Get().(*bufio.Writer)
	if out == nil {
		out = bufio.NewWriterSize(nil, d.base.WriteBufferSize)
	}
	defer d.writers.Put(out)
	out.Reset(c.Conn)
	defer out.Reset(nil)
	if err := r.Write(out); err != nil {
		return err
	}
	return out.Flush()
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// answer reads the header of the answer to a request.
func (c *directConn) answer(r *http.Request) (*http.Response, error) {
	c.limit.N = maxHeader
	for range maxInterims {
		answer, err := http.ReadResponse(c.in, r)
		if err == nil && (answer.StatusCode >= http.StatusOK || answer.StatusCode == http.StatusSwitchingProtocols) {
			c.limit.N = math.MaxInt64
			return answer, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the server answers without an end")
}

// watch has the connection come back, or end, with the body of the answer.
func (d *direct) watch(c *directConn, answer *http.Response, stop func() bool) {
	end := func(whole bool) {
		if !stop() || !whole || answer.Close || answer.StatusCode == http.StatusSwitchingProtocols || c.in.Buffered() > 0 || !d.put(c) {
			c.Close()
		}
	}
	if answer.Body == http.NoBody {
		end(true)
		return
	}
	ctx := answer.Request.Context()
	answer.Body = &directBody{ReadCloser: answer.Body, ended: func() error { return context.Cause(ctx) }, end: end}
}

// A directBody is the body of an answer.
type directBody struct {
	io.ReadCloser
	ended func() error
	once  sync.Once
	end   func(whole bool)
}

func (b *directBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		err = cmp.Or(b.ended(), err)
	}
	b.once.Do(func() { b.end(err == io.EOF) })
	return n, err
}

// Close implements io.Closer. It does not read on.
func (b *directBody) Close() error {
	b.once.Do(func() { b.end(false) })
	return nil
}

// take returns an idle connection that its server has not ended, or nil.
func (d *direct) take(to string) *directConn {
	for {
		c := d.last(to)
		if c == nil || time.Since(c.since) < d.base.IdleConnTimeout && isQuiet(c.Conn) {
			return c
		}
		c.Close()
	}
}

// last takes the connection that was used last.
func (d *direct) last(to string) *directConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = false
	all := d.idle[to]
	if len(all) == 0 {
		return nil
	}
	c := all[len(all)-1]
	all[len(all)-1] = nil
	d.idle[to] = all[:len(all)-1]
	return c
}

// put keeps a connection for the next request, and reports whether it did.
func (d *direct) put(c *directConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || len(d.idle[c.to]) >= d.base.MaxIdleConnsPerHost {
		return false
	}
	if d.idle == nil {
		d.idle = map[string][]*directConn{}
	}
	c.since, c.isFresh = time.Now(), false
	d.idle[c.to] = append(d.idle[c.to], c)
	if d.sweep == nil {
		d.sweep = time.AfterFunc(d.base.IdleConnTimeout, d.closeOld)
	}
	return true
}

// closeOld closes the connections that nobody has used for long.
func (d *direct) closeOld() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep = nil
	oldest := time.Duration(-1)
	for to, all := range d.idle {
		for len(all) > 0 && time.Since(all[0].since) >= d.base.IdleConnTimeout {
			all[0].Close()
			all = all[1:]
		}
		if d.idle[to] = all; len(all) == 0 {
			delete(d.idle, to)
		} else {
			oldest = max(oldest, time.Since(all[0].since))
		}
	}
	if oldest >= 0 {
		d.sweep = time.AfterFunc(d.base.IdleConnTimeout-oldest, d.closeOld)
	}
}

// closeIdle closes all that are idle, and those that become so before the next request.
func (d *direct) closeIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.sweep != nil {
		d.sweep.Stop()
		d.sweep = nil
	}
	for _, all := range d.idle {
		for _, c := range all {
			c.Close()
		}
	}
	clear(d.idle)
}
