package ftp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/ftp/internal/sock"
)

const (
	maxLine  = sock.BufferSize - 2 // a longer command line is answered 500
	maxFlood = 64 << 10            // a line that is longer closes the connection
)

var (
	errLineTooLong = errors.New("line too long")
	errFlood       = errors.New("line does not end")
	errNotFTP      = errors.New("the client does not speak FTP")
	errInterrupted = errors.New("read interrupted")
)

// lineBuffers pools the buffers of sessions with unread input. An idle session has none.
var lineBuffers = sync.Pool{New: func() any { return new(sock.Buffer) }}

// control is the control connection: lines in, replies out. One goroutine reads at a time; two may
// write replies, each atomically.
type control struct {
	tcp  net.Conn    // the connection itself
	conn net.Conn    // tcp, or TLS over it
	wait sock.Waiter // waits for input without a buffer

	buf     *sock.Buffer // nil while there is no input
	r, w    int          // buf[r:w] is unread
	begun   bool         // a line was read
	dropped int32        // bytes of a too long line that has not ended yet

	idle  time.Duration // the deadline of a read and of a write, from its start
	until time.Time     // a fixed deadline (login); zero = none
	soon  time.Time     // a deadline of reads only (the end of an upload); zero = none
	stop  atomic.Uint32 // while not 0, reads fail with errInterrupted

	mu     sync.Mutex
	out    []byte // replies not sent yet; guarded by mu
	broken error  // guarded by mu; error of sending a reply. Nothing is sent after it.
}

// isTLS reports whether the connection is encrypted.
func (c *control) isTLS() bool { return c.conn != c.tcp }

// certificates returns those of the client that were verified, its own first; nil without.
func (c *control) certificates() []*x509.Certificate {
	conn, is := c.conn.(*tls.Conn)
	if !is {
		return nil
	}
	state := conn.ConnectionState()
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	return state.VerifiedChains[0]
}

// tlsVersion returns the version of TLS for the log, or the zero Attr.
func (c *control) tlsVersion() slog.Attr {
	conn, is := c.conn.(*tls.Conn)
	if !is {
		return slog.Attr{}
	}
	return slog.String("tls_version", strings.TrimPrefix(tls.VersionName(conn.ConnectionState().Version), "TLS "))
}

// readLine returns the next line without its end, with Telnet commands stripped. It is valid until
// the next call. Queued replies are sent before it blocks. A line over maxLine is errLineTooLong;
// the next call continues after it.
func (c *control) readLine() ([]byte, error) {
	scanned := 0
	for {
		if c.stop.Load() != 0 {
			return nil, errInterrupted
		}
		if c.buf != nil {
			if i := bytes.IndexByte(c.buf[c.r+scanned:c.w], '\n'); i >= 0 {
				line := c.buf[c.r : c.r+scanned+i]
				c.r += scanned + i + 1
				c.begun = true
				if c.dropped > 0 || len(line) > maxLine {
					c.dropped = 0
					return nil, errLineTooLong
				}
				return stripTelnet(line), nil
			}
			scanned = c.w - c.r
			if scanned >= maxLine {
				c.dropped += int32(scanned)
				c.r, c.w, scanned = 0, 0, 0
				if c.dropped >= maxFlood {
					return nil, errFlood
				}
			}
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
		if !c.begun && !c.isTLS() && c.buf[c.r] == tlsHandshakeRecord {
			return nil, errNotFTP
		}
	}
}

// tlsHandshakeRecord is the first byte of a TLS client hello (RFC 8446, section 5.1). No FTP
// command begins with it.
const tlsHandshakeRecord = 0x16

// fill reads what the client has sent. If nothing is buffered, it waits without a buffer.
func (c *control) fill() error {
	if err := c.flush(); err != nil {
		return err
	}
	if c.buf != nil {
		if c.r == c.w {
			lineBuffers.Put(c.buf)
			c.buf, c.r, c.w = nil, 0, 0
		} else if c.r > 0 {
			c.w = copy(c.buf[:], c.buf[c.r:c.w])
			c.r = 0
		}
	}
	c.arm()
	if c.stop.Load() != 0 {
		return errInterrupted
	}
	n, err := c.read()
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	if c.stop.Load() != 0 {
		return errInterrupted
	}
	return err
}

func (c *control) read() (int, error) {
	if c.buf == nil && !c.isTLS() {
		buf, n, err := c.wait.Read(c.conn, &lineBuffers)
		c.buf = buf
		return n, err
	}
	if c.buf == nil {
		c.buf = lineBuffers.Get().(*sock.Buffer)
	}
	return c.conn.Read(c.buf[c.w:])
}

// arm sets the deadline of the read that follows.
func (c *control) arm() {
	d := c.deadline()
	if !c.soon.IsZero() {
		d = c.soon
	}
	c.tcp.SetReadDeadline(d)
}

// deadline returns the deadline of a read or a write that begins now.
func (c *control) deadline() time.Time {
	d := time.Now().Add(c.idle)
	if !c.until.IsZero() && c.until.Before(d) {
		return c.until
	}
	return d
}

// Reasons to interrupt reading.
const (
	stopWatch   = 1 << iota // the end of a transfer: its watcher stops
	stopSession             // the session is to end
)

// interrupt makes the current read, and every later one until resume, fail with errInterrupted. It
// may be called from any goroutine.
func (c *control) interrupt(who uint32) {
	c.stop.Or(who)
	c.tcp.SetReadDeadline(time.Unix(1, 0))
}

func (c *control) resume(who uint32) { c.stop.And(^who) }

// discard drops received bytes that were not read yet.
func (c *control) discard() int {
	n := c.w - c.r
	c.r, c.w = 0, 0
	return n
}

// write queues a reply. It is sent by flush, by the next read, or by write if the queue exceeds
// maxQueued.
func (c *control) write(r reply) {
	if r.isZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = r.append(c.out)
	c.flushIfFull()
}

// writeBytes queues raw lines of a reply, each with its line end. It sends them if the queue
// exceeds maxQueued.
func (c *control) writeBytes(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, b...)
	return c.flushIfFull()
}

// maxQueued is how many bytes of replies are queued before they are sent.
const maxQueued = 16 << 10

// flushIfFull is called with mu held.
func (c *control) flushIfFull() error {
	if len(c.out) > maxQueued || c.broken != nil {
		return c.flushLocked()
	}
	return nil
}

// flush sends the queued replies. After an error it always fails.
func (c *control) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flushLocked()
}

func (c *control) flushLocked() error {
	if c.broken == nil && len(c.out) > 0 {
		d := c.deadline()
		if bye := time.Now().Add(closeGrace); d.Before(bye) {
			d = bye // to send the timeout reply
		}
		c.tcp.SetWriteDeadline(d)
		if c.stop.Load()&stopSession != 0 {
			c.hurry()
		}
		if _, err := c.conn.Write(c.out); err != nil {
			c.broken = fmt.Errorf("cannot send replies: %v", err) // %v: a deadline here is not one of reading
		}
	}
	if cap(c.out) > 512 {
		c.out = nil
	} else {
		c.out = c.out[:0]
	}
	return c.broken
}

// hurry limits writes, including the current one, to closeGrace.
func (c *control) hurry() { c.tcp.SetWriteDeadline(time.Now().Add(closeGrace)) }

// secure starts TLS. Bytes received before are discarded, so that nothing sent in clear is treated
// as sent under TLS (RFC 4217, section 15.1). vhost learns which certificate is shown.
func (c *control) secure(cfg *tls.Config, vhost *virtualHost) error {
	c.discard()
	below := &handshakeConn{Conn: c.tcp}
	t := tls.Server(below, cfg)
	c.tcp.SetWriteDeadline(c.deadline())
	c.arm()
	if c.stop.Load() != 0 {
		return errInterrupted
	}
	if err := t.HandshakeContext(vhost.in(context.Background())); err != nil {
		return err
	}
	below.end()
	c.mu.Lock()
	c.conn = t
	c.mu.Unlock()
	return nil
}

// close closes the connection, under TLS with close_notify.
func (c *control) close() {
	c.tcp.SetWriteDeadline(time.Now().Add(time.Second))
	c.conn.Close()
	if c.buf != nil {
		lineBuffers.Put(c.buf)
		c.buf = nil
	}
}
