package sftp

import (
	"context"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote/driver/internal/conns"
)

// A conn is a connection to the server.
type conn struct {
	conns.Shared
	// constant
	ssh   *ssh.Client
	sftp  *sftp.Client
	start func(*ssh.Session) error // starts the server's side of a channel
	names *collected               // what sftp reads from

	rawMu sync.Mutex
	raw   *raw // nil until it is needed; guarded by rawMu
}

// Close implements conns.Conn.
func (c *conn) Close() {
	c.Lose()
	c.ssh.Close() // what it could report is that it was closed already
}

// Wait implements conns.Conn.
func (c *conn) Wait() { _ = c.sftp.Wait() } // however it ended

// commit makes a change that others see, as conns.Commit does.
func commit(ctx context.Context, c *conn, call func(ctx context.Context) error) error {
	return conns.Commit(ctx, c, unanswered, call)
}
