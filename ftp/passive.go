package ftp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"ferry/ftp/internal/sock"
)

// passive waits for the client to connect (RFC 959, section 4.1.2, PASV; RFC 2428, section 3,
// EPSV).
//
// Most clients send the command that uses the connection at once. If it does not arrive within
// acceptEarlyAfter, acceptEarly accepts connections, so that strangers do not fill the queue, and
// closes one that is not used. A client may begin its TLS handshake before the command, and send
// the command after it: then the handshake is done early.
type passive struct {
	seat    *seat
	timeout time.Duration // how long open waits for a connection
	// secure performs the handshake on the connection that acceptEarly has accepted, if the client
	// has sent hello, its beginning, before the command; nil without TLS.
	secure func(ctx context.Context, conn net.Conn, hello []byte) (*dataConn, error)

	mu      sync.Mutex
	opened  bool          // guarded by mu; open or dismiss was called, or it has expired
	over    error         // guarded by mu; why it failed before it was opened
	timer   *time.Timer   // guarded by mu; starts acceptEarly, later expire; nil without limit
	arrived chan struct{} // guarded by mu; closed when acceptEarly is done; nil before it begins
	unread  net.Conn      // guarded by mu; acceptEarly waits for its first byte
	cancel  func()        // guarded by mu; ends the handshake of acceptEarly
	conn    net.Conn      // accepted by acceptEarly; guarded by mu
	early   *dataConn     // conn, if its handshake is done; guarded by mu
	failure error         // error of acceptEarly; guarded by mu
}

// port returns the port number for the reply.
func (p *passive) port() uint16 { return p.seat.port.addr.Port() }

// acceptEarlyAfter is how long connections stay in the accept queue before they are accepted
// without a command.
const acceptEarlyAfter = 20 * time.Millisecond

// limit closes the endpoint if it is not used within life. It is called once, before open.
func (p *passive) limit(life time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(acceptEarlyAfter, func() { p.acceptEarly(life) })
}

// acceptEarly accepts the owner's connection, until open or dismiss is called.
func (p *passive) acceptEarly(life time.Duration) {
	p.mu.Lock()
	if p.opened {
		p.mu.Unlock()
		return
	}
	done := make(chan struct{})
	p.arrived = done
	p.seat.setDeadline(time.Now().Add(life))
	p.mu.Unlock()
	conn, err := p.seat.accept()
	p.close()
	var early *dataConn
	if err == nil && p.secure != nil {
		early, err = p.handshake(conn, life)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.early, p.failure = conn, early, err
	close(done)
	switch {
	case p.opened:
	case err == nil:
		p.timer = time.AfterFunc(life, p.expire)
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.opened, p.over = true, errPortUnused
	default:
		p.opened, p.over = true, err
	}
}

// expire closes a connection that was not used.
func (p *passive) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opened {
		p.opened, p.over = true, errPortUnused
		dismissConn(p.conn, p.early, 0, nil)
	}
}

// dismissConn closes a connection that is not used; early is not nil if its handshake is done.
func dismissConn(conn net.Conn, early *dataConn, wait time.Duration, secure func(net.Conn) *dataConn) {
	if early == nil && secure != nil {
		if early = secure(conn); early == nil {
			return
		}
	}
	if early != nil {
		early.dismiss(wait)
		return
	}
	linger(conn, wait)
}

// handshake waits for the first bytes on conn and performs the handshake that they begin. It
// returns nil if open or dismiss was called before any arrived. After an error the connection is
// closed.
func (p *passive) handshake(conn net.Conn, life time.Duration) (*dataConn, error) {
	p.mu.Lock()
	if p.opened {
		p.mu.Unlock()
		return nil, nil
	}
	p.unread = conn
	conn.SetReadDeadline(time.Now().Add(life))
	p.mu.Unlock()
	hello := make([]byte, 512)
	n, err := conn.Read(hello)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.mu.Lock()
	p.unread, p.cancel = nil, cancel
	opened := p.opened
	p.mu.Unlock()
	switch {
	case n > 0:
		return p.secure(ctx, conn, hello[:n])
	case opened:
		return nil, nil // the caller of open sees the error
	}
	linger(conn, 0)
	return nil, err
}

// secured returns the connection that open has returned if its handshake is done, else nil.
func (p *passive) secured() *dataConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.early
}

// ended returns the error of a port that failed before it was used, or nil.
func (p *passive) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

// use takes the endpoint over from acceptEarly. first is false if it was used before. arrived is
// not nil if acceptEarly is running or done; it is closed when it is done.
func (p *passive) use() (arrived chan struct{}, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = !p.opened
	p.opened = true
	if p.unread != nil {
		p.unread.SetReadDeadline(time.Unix(1, 0))
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	return p.arrived, first
}

func (p *passive) open(ctx context.Context) (net.Conn, error) {
	arrived, first := p.use()
	if !first {
		return nil, errEndpointUsed
	}
	defer p.close()
	if arrived == nil && ctx.Err() == nil && p.seat.port.proxies == nil {
		if conn, err := p.seat.acceptNow(); err == nil { // mostly
			return conn, nil
		}
	}
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	if ctx.Err() != nil {
		p.close()
	}
	p.seat.setDeadline(time.Now().Add(p.timeout))
	conn, err := p.await(arrived)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, net.ErrClosed):
		return nil, errEndpointUsed
	}
	return nil, fmt.Errorf("waiting for the data connection: %w", err)
}

// await returns the connection of acceptEarly, or else of accept.
func (p *passive) await(arrived chan struct{}) (net.Conn, error) {
	if arrived == nil {
		return p.seat.accept()
	}
	<-arrived
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn, p.failure
}

func (p *passive) close() {
	p.seat.leave()
	p.mu.Lock()
	cancel := p.cancel
	p.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (p *passive) dismiss(wait time.Duration, secure func(net.Conn) *dataConn) {
	defer p.close()
	arrived, first := p.use()
	if !first {
		return
	}
	if arrived != nil {
		p.seat.leave()
		tooLong := time.AfterFunc(wait, p.close) // a handshake, which would end in a reset
		_, err := p.await(arrived)
		tooLong.Stop()
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			dismissConn(p.conn, p.early, wait, secure)
		}
		return
	}
	for range sock.Backlog + 1 {
		conn, err := p.seat.acceptNow()
		if err != nil {
			return
		}
		dismissConn(conn, nil, wait, secure)
	}
}
