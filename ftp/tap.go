package ftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"ferry/ftp/internal/sock"
)

// All bytes of a data connection pass through its tap, below TLS. It ends a transfer in which no
// byte moves for too long.
//
// It sets deadlines an eighth of that time ahead and checks, whenever one expires, whether bytes
// have moved since the last one. So a busy transfer costs a deadline every few seconds instead of
// one per call, and a slow transfer is distinguished from a stalled one: a call may last longer
// than the limit while bytes trickle.
//
// With a minimum rate it also measures how long the calls take and how much they move, and ends a
// transfer that is slower for too long. The time between calls is spent by the storage and does not
// count.
type tap struct {
	conn  net.Conn
	stall time.Duration
	rate  int64 // minimum bytes per second; 0 = any
	// rateTime is how long a transfer may be slower than its minimum rate.
	rateTime time.Duration

	head []byte // read already; Read returns it first

	holds int    // how many records of the following writes to hold back
	held  []byte // those records; sent before the next write

	armed bool // a deadline is set
	moved bool // bytes have moved since the last one expired
	idle  int  // how many have expired in a row without a byte
	ended bool // the other side has ended its direction

	threads  *sock.Threads     // on which sendFile may block; nil = on none
	up, down func(n int) error // wait until n more bytes may be read, written; nil = at once

	// Only with a rate.
	waited time.Duration // the time in calls since the rate was last checked
	bytes  int64         // what they have moved
}

// ticks is how many deadlines make up the stall timeout.
const ticks = 8

var errTooSlow = errors.New("the transfer was slower than its least rate for too long")

var errStalled = fmt.Errorf("no byte moved for too long: %w", os.ErrDeadlineExceeded)

// kernelMover is a connection that can take part in transfers inside the kernel.
type kernelMover interface {
	// SendFile moves at most n bytes from f's position to the connection. It returns after the
	// first bytes that it could move, or soon after; 0 bytes without an error is the end of f.
	SendFile(f *os.File, n int) (int64, error)
	// TCP returns the connection in the form that os.File.ReadFrom recognises.
	TCP() (*net.TCPConn, error)
}

// Read is as in io.Reader; it fails with errStalled if nothing arrives for too long.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.head) > 0 && len(p) > 0 {
		n := copy(p, t.head)
		t.head = t.head[n:]
		return n, nil
	}
	if t.up != nil {
		p = p[:min(len(p), paced)]
	}
	for {
		t.arm()
		begun := t.clock()
		n, err := t.conn.Read(p)
		t.measure(begun, int64(n))
		if n > 0 || err == nil {
			t.moved = true
			return n, t.received(int64(n))
		}
		if !t.retryDeadline(&err) {
			t.ended = t.ended || err == io.EOF
			return 0, err
		}
	}
}

// Write is as in io.Writer; it fails with errStalled if nothing is sent for too long.
func (t *tap) Write(p []byte) (int, error) {
	switch {
	case t.holds > 0:
		size, found := lastRecords(p, t.holds)
		end := len(p) - size
		t.holds -= found
		t.held = append(t.held, p[end:]...)
		n, err := t.write(p[:end])
		if err == nil {
			n = len(p)
		}
		return n, err
	case len(t.held) > 0:
		before := len(t.held)
		p, t.held = append(t.held, p...), nil
		n, err := t.write(p)
		return max(n-before, 0), err
	}
	return t.write(p)
}

func (t *tap) write(p []byte) (written int, err error) {
	for {
		next := p[written:]
		if t.down != nil && len(next) > 0 {
			next = next[:min(len(next), paced)]
			if err := t.down(len(next)); err != nil {
				return written, err
			}
		}
		n, err := t.writeAll(next)
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

func (t *tap) writeAll(p []byte) (written int, err error) {
	for {
		t.arm()
		begun := t.clock()
		n, err := t.conn.Write(p[written:])
		t.measure(begun, int64(n))
		written += n
		t.moved = t.moved || n > 0
		if err == nil || !t.retryDeadline(&err) {
			return written, err
		}
	}
}

// received waits after n bytes were read: the client is slowed down by what it cannot send.
func (t *tap) received(n int64) error {
	if t.up == nil {
		return nil
	}
	return t.up(int(n))
}

// hold delays records until something else is written: the last ones of the next write, and of
// following ones if that has fewer. They are a ticket of TLS 1.3, which crypto/tls sends with its
// side of the handshake. A client that only sends may never read it, and unread bytes in its socket
// turn its close into a reset, which destroys bytes that are still in flight. So the ticket is sent
// with the first bytes of a download, or with the close_notify that ends an upload, when everything
// has arrived.
func (t *tap) hold(records int) { t.holds = records }

// lastRecords returns the size and the number of the last records of p, at most most of them. p
// consists of whole TLS records.
func lastRecords(p []byte, most int) (size, found int) {
	var begins []int
	for at := 0; at+recordHeader <= len(p); {
		begins = append(begins, at)
		at += recordHeader + int(binary.BigEndian.Uint16(p[at+3:]))
	}
	found = min(most, len(begins))
	if found == 0 {
		return 0, 0
	}
	return len(p) - begins[len(begins)-found], found
}

// recordHeader is the length of type, version and length of a TLS record (RFC 8446, section 5.1).
const recordHeader = 5

// sendFile moves the next bytes of f, see kernelMover. It returns errors.ErrUnsupported if the
// connection cannot.
func (t *tap) sendFile(f *os.File, n int) (int64, error) {
	k, able := t.conn.(kernelMover)
	if !able {
		return 0, errors.ErrUnsupported
	}
	if t.down != nil {
		n = min(n, paced)
	}
	for {
		t.arm()
		begun := t.clock()
		m, err := k.SendFile(f, n)
		t.measure(begun, m)
		t.moved = t.moved || m > 0
		if m > 0 && err == nil && t.down != nil {
			return m, t.down(int(m))
		}
		if m > 0 || err == nil || !t.retryDeadline(&err) {
			return m, err
		}
	}
}

// sendMuch prepares for a large file: sendFile blocks on threads of a bounded number, where the
// system can, and otherwise the socket takes no more than about unsent bytes before the network
// takes them. A client whose rate is limited is not worth a thread.
func (t *tap) sendMuch(unsent int) {
	conn, able := t.conn.(interface {
		UseThreads(t *sock.Threads, unsent int) error
		LimitUnsent(int) error
	})
	switch { // an older kernel refuses to limit, and queues more
	case !able:
	case t.threads != nil && t.down == nil:
		_ = conn.UseThreads(t.threads, unsent)
	default:
		_ = conn.LimitUnsent(unsent)
	}
}

// arm sets a deadline unless one is set.
func (t *tap) arm() {
	if !t.armed {
		t.armed = true
		t.conn.SetDeadline(time.Now().Add(t.tick()))
	}
}

// tick returns the time between two checks.
func (t *tap) tick() time.Duration {
	if t.rate > 0 {
		return min(t.stall/ticks, t.rateTime/ticks)
	}
	return t.stall / ticks
}

// pace makes reads and writes wait as l says until ctx ends.
func (t *tap) pace(ctx context.Context, l Limits) {
	if l.Up != nil {
		t.up = func(n int) error { return l.Up(ctx, n) }
	}
	if l.Down != nil {
		t.down = func(n int) error { return l.Down(ctx, n) }
	}
}

// paced is how much moves between two waits: little enough that even a slow transfer moves
// something every few seconds.
const paced = 16 << 10

// clock returns the time at which a call begins, if it is needed.
func (t *tap) clock() (begun time.Time) {
	if t.rate > 0 {
		begun = time.Now()
	}
	return begun
}

// measure adds what a call has moved.
func (t *tap) measure(begun time.Time, n int64) {
	if t.rate > 0 {
		t.waited += time.Since(begun)
		t.bytes += n
	}
}

// tooSlow reports whether less than the minimum rate has moved for rateTime. It is called at each
// deadline.
func (t *tap) tooSlow() bool {
	if t.rate <= 0 || t.waited < t.rateTime {
		return false
	}
	slow := float64(t.bytes) < float64(t.rate)*t.waited.Seconds()
	t.waited, t.bytes = 0, 0
	return slow
}

// retryDeadline reports whether err is only an expired deadline and the transfer may go on. It
// replaces the last deadline by errStalled.
func (t *tap) retryDeadline(err *error) bool {
	if !errors.Is(*err, os.ErrDeadlineExceeded) {
		return false
	}
	t.armed = false
	if t.tooSlow() {
		*err = errTooSlow
		return false
	}
	if t.moved {
		t.moved, t.idle = false, 0
		return true
	}
	if t.idle++; time.Duration(t.idle)*t.tick() >= t.stall/ticks*ticks {
		*err = errStalled
		return false
	}
	return true
}

// lingerTime is how long the other side has to close its direction after this one.
const lingerTime = 250 * time.Millisecond

// linger closes this direction, discards what the other side sends within that time, and then
// closes the connection. A socket that is closed while bytes arrive sends a reset, which destroys
// what the other side has not read yet. With 0 it discards only what has arrived.
func linger(conn net.Conn, within time.Duration) {
	defer conn.Close()
	half, able := conn.(interface{ CloseWrite() error })
	if !able || half.CloseWrite() != nil {
		return
	}
	until := time.Now().Add(within)
	conn.SetReadDeadline(until)
	block := fileBlocks.Get().(*fileBlock)
	defer fileBlocks.Put(block)
	for {
		if _, err := conn.Read(block[:]); err != nil || time.Now().After(until.Add(lingerTime)) {
			return
		}
	}
}

// reset closes the connection so that the other side sees an error, never a proper end.
func (t *tap) reset() {
	if l, able := t.conn.(interface{ SetLinger(int) error }); able {
		l.SetLinger(0)
	}
	t.conn.Close()
}

// The remaining methods implement net.Conn. Callers cannot set deadlines: crypto/tls would give its
// closing alert five seconds, which is too short after a full buffer on a slow line.

func (t *tap) QuickAck()                        { sock.QuickAck(t.conn) }
func (t *tap) Close() error                     { return t.conn.Close() }
func (t *tap) LocalAddr() net.Addr              { return t.conn.LocalAddr() }
func (t *tap) RemoteAddr() net.Addr             { return t.conn.RemoteAddr() }
func (t *tap) SetDeadline(time.Time) error      { return nil }
func (t *tap) SetReadDeadline(time.Time) error  { return nil }
func (t *tap) SetWriteDeadline(time.Time) error { return nil }
