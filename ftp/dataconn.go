package ftp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ferry/ftp/internal/sock"
)

// dataConn is an open data connection. One goroutine uses it; only count and abort may be called
// from others.
//
// Its errors distinguish the two sides of a transfer: a *fileError comes from the file, everything
// else from the network.
type dataConn struct {
	tap     *tap
	tls     *tls.Conn     // above below; nil in clear
	below   *gatherer     // above tap; nil in clear
	vhost   *virtualHost  // of the session; may be nil
	connect time.Duration // time for the TLS handshake
	moved   atomic.Int64
	first   *time.Time // is set when the first byte moves, and then nil; nil if nobody asks
	atEnd   bool       // the other side has ended properly
	failure error      // error of the network
}

// blockSize is how much of a file moves through memory at a time.
const blockSize = 128 << 10

type fileBlock [blockSize]byte

// fileBlocks pools the buffers of running transfers; idle sessions hold none.
var fileBlocks = sync.Pool{New: func() any { return new(fileBlock) }}

// fileError is an error on the file's side of a transfer.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// newDataConn returns a dataConn for a connection that an endpoint has opened. connect is the time
// for a TLS handshake, stall the time without a byte after which reading and writing fail.
func newDataConn(conn net.Conn, connect, stall time.Duration) *dataConn {
	return &dataConn{tap: &tap{conn: sock.Wrap(conn), stall: stall}, connect: connect}
}

// secure performs the server side of a TLS handshake. If it fails, the connection is closed and the
// client has received the alert. The error is errNotResumed if the client had to resume its session
// and did not.
func (d *dataConn) secure(ctx context.Context, cfg *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, d.connect)
	defer cancel()
	if n, able := d.tap.conn.(interface{ SetNoDelay(bool) error }); able {
		n.SetNoDelay(true)
	}
	shaking := &handshakeConn{Conn: d.tap}
	d.below = &gatherer{Conn: shaking}
	d.tls = tls.Server(d.below, cfg)
	if err := d.tls.HandshakeContext(d.vhost.in(ctx)); err != nil {
		linger(d.tap.conn, lingerTime)
		return &handshakeError{err}
	}
	shaking.end()
	return nil
}

// handshakeError is why there is no TLS on a data connection.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// moves notes when the first byte moves.
func (d *dataConn) moves() {
	if d.first != nil {
		*d.first, d.first = time.Now(), nil
	}
}

// dismiss properly closes a connection that is not used, as linger does.
func (d *dataConn) dismiss(wait time.Duration) {
	if d.tls != nil {
		_ = d.tls.CloseWrite() // a client that misses it sees the end of the connection
	}
	linger(d.tap.conn, wait)
}

// count returns the number of bytes of the file, without the overhead of TLS, that were
// transferred. It may be called from any goroutine.
func (d *dataConn) count() int64 { return d.moved.Load() }

// Read is as in io.Reader. The end is io.EOF only when the other side has ended properly: over TLS
// without close_notify it is io.ErrUnexpectedEOF, because an attacker in the network can forge the
// end of a TCP connection (RFC 4217, section 15.3).
func (d *dataConn) Read(p []byte) (n int, err error) {
	if d.tls == nil {
		n, err = d.tap.Read(p)
	} else {
		n, err = d.tls.Read(p)
		if err == io.EOF && d.tap.ended {
			err = io.ErrUnexpectedEOF
		}
	}
	d.received(int64(n), err)
	return n, err
}

// received records the result of a read.
func (d *dataConn) received(n int64, err error) {
	if n > 0 {
		d.moves()
	}
	d.moved.Add(n)
	switch err {
	case nil:
	case io.EOF:
		d.atEnd = true
	default:
		d.failure = err
	}
}

// Write is as in io.Writer.
func (d *dataConn) Write(p []byte) (n int, err error) {
	if len(p) > 0 {
		d.moves()
	}
	switch {
	case d.tls == nil:
		n, err = d.tap.Write(p)
	case len(p) <= maxRecord:
		n, err = d.tls.Write(p)
	default:
		return d.writeRecords(p)
	}
	d.sent(int64(n), err)
	return n, err
}

// writeRecords is Write for what fills several records of TLS.
func (d *dataConn) writeRecords(p []byte) (written int, err error) {
	for written < len(p) && err == nil {
		var n int
		n, err = d.below.together(p[written:min(len(p), written+together)], d.tls.Write)
		d.sent(int64(n), err)
		written += n
	}
	return written, err
}

// sent records the result of a write.
func (d *dataConn) sent(n int64, err error) {
	d.moved.Add(n)
	if err != nil {
		d.failure = err
	}
}

// finish closes the connection properly: the other side sees the end of the file. Over TLS it sends
// close_notify, without which clients treat a file as truncated. An error means that the other side
// may not have received everything; after an upload there is none, as nothing is left to send.
func (d *dataConn) finish() error {
	if d.tls == nil {
		return d.tap.Close()
	}
	err := d.tls.CloseWrite()
	switch {
	case d.atEnd:
		d.tap.Close()
		return nil
	case err != nil:
		d.tap.reset()
		return err
	}
	linger(d.tap.conn, lingerTime)
	return nil
}

// abort closes the connection so that the other side sees an error, never a proper end. A blocked
// call returns with an error at once. It may be called from any goroutine and after finish.
func (d *dataConn) abort() { d.tap.reset() }
