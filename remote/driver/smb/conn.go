package smb

import (
	"errors"
	"fmt"
	"net"
	"sync"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// A conn is a connection to the server, logged in.
type conn struct {
	conns.Shared
	// constant
	tcp     *wire
	session *smb2.Session
	bind    func(*smb2.Share) *smb2.Share // has calls end with the connection
	cancel  func()                        // ends calls that wait for something else than an answer

	mu     sync.Mutex
	shares map[string]*smb2.Share // connected to; guarded by mu
}

// A wire is a TCP connection that tells when it has ended. Package smb2 reads from it until it
// comes across what it cannot parse.
type wire struct {
	net.Conn
	once  sync.Once
	ended chan struct{}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.end()
	}
	return n, err
}

// Close implements net.Conn.
func (w *wire) Close() error {
	w.end()
	return w.Conn.Close()
}

func (w *wire) end() { w.once.Do(func() { close(w.ended) }) }

// Close implements conns.Conn.
func (c *conn) Close() {
	c.Lose()
	c.tcp.Close() // what it could report is that it was closed already
	c.cancel()
}

// Wait implements conns.Conn.
func (c *conn) Wait() { <-c.tcp.ended }

// safely makes a call of package smb2, which parses the answer in this goroutine and may panic at
// one that makes no sense. A connection on which such a one came, or that the server has forgotten,
// is closed.
func (c *conn) safely(use func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", remote.ErrMalformed, p)
			c.Close()
		}
	}()
	err = understood(use())
	var senseless *smb2.InvalidResponseError
	switch {
	case sessionLost(err):
		c.Close()
		return conns.ErrLost
	case errors.As(err, &senseless):
		c.Close()
	}
	return err
}

// share returns a share that the session is connected to. There is one of each name, so that files
// can be copied inside.
func (c *conn) share(name string) (*smb2.Share, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shares[name]; s != nil {
		return s, nil
	}
	var s *smb2.Share
	err := c.safely(func() (err error) {
		s, err = c.session.Mount(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the share %q: %w", name, err)
	}
	s = c.bind(s)
	c.shares[name] = s
	return s, nil
}
