package smb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
)

// A dialer makes connections.
type dialer struct{ o Options }

// dial connects and logs in.
func (d *dialer) dial(ctx context.Context) (*conn, error) {
	addr := net.JoinHostPort(d.o.Host, strconv.Itoa(d.o.Port))
	ctx, cancel := context.WithTimeoutCause(ctx, d.o.Network.Connect(), fmt.Errorf("%s does not answer: %w", addr, os.ErrDeadlineExceeded))
	defer cancel()
	tcp, err := d.o.Network.Dial(ctx, "tcp", addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s cannot be reached, see the options host and port: %w", addr, err)
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	c, err := d.login(tcp)
	if !stop() && ctx.Err() != nil {
		if err == nil {
			c.Close()
		}
		return nil, context.Cause(ctx)
	}
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, remote.ErrPermission):
		err = fmt.Errorf("%w: %s does not let %q in with what is configured (user, pass, domain)", remote.ErrPermission, addr, d.o.User)
	default:
		err = fmt.Errorf("no SMB connection to %s: %w", addr, err)
	}
	return nil, err
}

// login makes an SMB connection out of a TCP connection, which ends with it.
func (d *dialer) login(tcp net.Conn) (*conn, error) {
	// Package smb2 must not see a context that ends: it would give up in the middle of a request.
	ctx, cancel := context.WithCancel(context.Background())
	c := &conn{
		tcp:    &wire{Conn: tcp, ended: make(chan struct{})},
		bind:   func(s *smb2.Share) *smb2.Share { return s.WithContext(ctx) },
		cancel: cancel,
		shares: map[string]*smb2.Share{},
	}
	dialer := smb2.Dialer{Initiator: &smb2.NTLMInitiator{
		User: d.o.User, Password: d.o.Password, Domain: d.o.Domain, Workstation: d.o.Workstation, TargetSPN: d.o.SPN,
	}}
	err := c.safely(func() error {
		s, err := dialer.DialConn(ctx, c.tcp, d.o.Host)
		if err == nil {
			c.session = s.WithContext(ctx)
		}
		return err
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
