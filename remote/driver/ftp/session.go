package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jlaffaye/ftp"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/network"
)

// patience is how long the server may take to accept a connection and the login, and for the end of
// what nobody waits for.
const patience = 30 * time.Second

// A dialer makes sessions.
type dialer struct {
	// constant
	o    Options
	addr string
	tls  *tls.Config // nil = none
}

// A session is a control connection that is logged in, and the data connection that it has at the
// time. One goroutine uses it, except for abort.
type session struct {
	// constant
	c     *ftp.ServerConn
	home  string             // where the server has put the user
	mlst  bool               // it has MLST and MLSD (RFC 3659 section 7)
	abort context.CancelFunc // closes both connections, at any time; what is under way fails
	ended <-chan struct{}    // closed by abort

	plainList bool                               // LIST -a is refused
	onLine    func(line string, whole bool) bool // gets the lines of data connections, while it is set

	unwatch   func() (ended bool) // see watch; nil while nothing is under way
	committed bool                // a change that cannot be called back was begun
	sent      atomic.Int64        // commands on the control connection, at most

	since time.Time // when it was used last; guarded by pool.mu while it is free

	mu    sync.Mutex
	conns []net.Conn // open, the control connection first; guarded by mu
}

// dial connects and logs in.
func (d *dialer) dial(ctx context.Context) (*session, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	s := &session{ended: life.Done()}
	s.abort = func() {
		end()
		s.closeAll()
	}
	wait, cancel := context.WithTimeoutCause(ctx, d.o.Network.Connect(), fmt.Errorf("%s does not answer: %w", d.addr, os.ErrDeadlineExceeded))
	defer cancel()
	err := s.during(wait, func() error { return d.login(life, s) })
	if err != nil {
		s.abort()
		return nil, err
	}
	return s, nil
}

// login connects until life ends, and logs in.
func (d *dialer) login(life context.Context, s *session) error {
	options := []ftp.DialOption{
		ftp.DialWithDialFunc(func(_, addr string) (net.Conn, error) { return d.connect(life, s, addr) }),
		ftp.DialWithDisabledEPSV(d.o.NoEPSV),
		ftp.DialWithDisabledMLSD(d.o.NoMLSD),
		ftp.DialWithDisabledUTF8(d.o.NoUTF8),
		ftp.DialWithWritingMDTM(d.o.WriteMDTM),
	}
	if d.o.ExplicitTLS {
		options = append(options, ftp.DialWithExplicitTLS(d.tls))
	} else if d.o.ImplicitTLS {
		options = append(options, ftp.DialWithTLS(d.tls))
	}
	c, err := ftp.Dial(d.addr, options...)
	if err != nil {
		return d.explain(err)
	}
	s.c = c
	if err := c.Login(d.o.User, d.o.Password); err != nil {
		var reply *textproto.Error
		if errors.As(err, &reply) && reply.Code == 530 { // its text is left out: it may quote
			return fmt.Errorf("%w: %s does not let %q in, see the options user and pass", remote.ErrPermission, d.addr, d.o.User)
		}
		return d.explain(err)
	}
	// Package ftp keeps to itself whether there is MLST. It refuses to send one with 502 then.
	_, err = c.GetEntry("/")
	var reply *textproto.Error
	s.mlst = !errors.As(err, &reply) || reply.Code != 502 && reply.Code != 500
	if err != nil && reply == nil {
		return d.explain(err)
	}
	s.home, err = c.CurrentDir()
	return err
}

// explain says what a failed connection may be due to.
func (d *dialer) explain(err error) error {
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	var reply *textproto.Error
	switch {
	case errors.As(err, &cert):
		return fmt.Errorf("%w: the certificate of %s is not trusted, see the option no_check_certificate: %w", remote.ErrPermission, d.addr, cert)
	case errors.As(err, &record):
		return fmt.Errorf("%w: %s does not begin with TLS: set explicit_tls in place of tls", remote.ErrPermission, d.addr)
	case d.o.ExplicitTLS && errors.As(err, &reply) && reply.Code >= 500:
		return fmt.Errorf("%w: %s has no AUTH TLS, see the option explicit_tls: %w", remote.ErrPermission, d.addr, err)
	case errors.As(err, &reply) && reply.Code >= 500:
		return fmt.Errorf("%w: %s refuses the session: %w", remote.ErrPermission, d.addr, err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%s cannot be reached, see the options host and port: %w", d.addr, err)
	case errors.Is(err, io.EOF):
		err = conns.ErrLost
	}
	return fmt.Errorf("no FTP session at %s: %w", d.addr, err)
}

// connect makes the control connection at first, and data connections then.
func (d *dialer) connect(life context.Context, s *session, addr string) (net.Conn, error) {
	if _, port, err := net.SplitHostPort(addr); err == nil && d.o.Network.Proxy != nil {
		addr = net.JoinHostPort(d.o.Host, port) // package ftp takes the proxy for the server
	}
	c, err := d.o.Network.Dial(life, "tcp", addr)
	if err != nil {
		return nil, err
	}
	control := s.add(c)
	if control {
		c = &controlConn{Conn: c, writes: &s.sent}
	}
	switch {
	case life.Err() != nil:
		c.Close()
		return nil, net.ErrClosed
	case d.o.ImplicitTLS || d.o.ExplicitTLS && !control:
		c = tls.Client(c, d.tls)
	}
	if !control && s.onLine != nil {
		return newLines(c, s.onLine), nil
	}
	return c, nil
}

// add takes in a connection that is to be closed by abort. A data connection replaces the one
// before.
func (s *session) add(c net.Conn) (control bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	control = len(s.conns) == 0
	s.conns = append(s.conns[:min(len(s.conns), 1)], c)
	return control
}

func (s *session) closeAll() {
	s.cutData()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// cutData breaks the data connection off. An orderly end would be that of the file (RFC 959 section
// 3.4.1).
func (s *session) cutData() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) > 1 {
		network.Reset(s.conns[1])
	}
}

// during makes a call of package ftp, which knows no context: the end of ctx ends the session,
// unless the call has begun a change by commit. When it has returned, broken knows whether it did.
func (s *session) during(ctx context.Context, call func() error) error {
	outer, committed := s.unwatch, s.committed
	s.unwatch, s.committed = s.watch(ctx), false
	err := call()
	ended := s.unwatch()
	s.unwatch, s.committed = outer, committed
	if ended && err != nil {
		return context.Cause(ctx)
	}
	var reply *textproto.Error
	switch {
	case err == nil:
	case errors.As(err, &reply) && reply.Code == 421, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, conns.ErrLost),
		errors.Is(err, errEndless):
		s.abort()
	default:
		var netErr net.Error
		var protocol textproto.ProtocolError
		if errors.As(err, &netErr) || errors.As(err, &protocol) {
			s.abort()
		}
	}
	return err
}

// ask is during for a call that changes nothing. Where it finds that the session has ended, it is
// conns.ErrLost: whoever has another answer than this one asks again.
func (s *session) ask(ctx context.Context, call func() error) error {
	err := s.during(ctx, call)
	if lost(err) && s.broken() && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", conns.ErrLost, err)
	}
	return err
}

// commit makes a change that others see, of so many commands, the last of which makes it. It is
// called within during. From then on the session is not ended by ctx: the answer is waited for as
// remote.Committed says, and so is what comes after it. When there is none, the change is in doubt.
func (s *session) commit(ctx context.Context, commands int64, change func() error) error {
	if !s.committed {
		if s.unwatch() {
			return context.Cause(ctx)
		}
		committed, release := remote.Committed(ctx)
		stop := s.watch(committed)
		s.committed = true
		s.unwatch = func() bool {
			defer release()
			return stop()
		}
	}
	before := s.sent.Load()
	err := change()
	var reply *textproto.Error
	if err != nil && !errors.As(err, &reply) && s.sent.Load()-before >= commands {
		remote.Unanswered(ctx)
	}
	return err
}

// watch lets the end of ctx end the session, until unwatch is called, which reports whether that
// has happened.
func (s *session) watch(ctx context.Context) (unwatch func() (ended bool)) {
	stop := context.AfterFunc(ctx, s.abort)
	return func() bool {
		if stop() {
			return false
		}
		s.abort() // that of ctx may be on its way still
		return true
	}
}

// broken reports whether the session is of no more use.
func (s *session) broken() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// quit ends a session in good order, without waiting for the server.
func (s *session) quit() {
	s.mu.Lock()
	if len(s.conns) > 0 {
		_ = s.conns[0].SetDeadline(time.Now().Add(time.Second)) // the line is short, but the network may be gone
	}
	s.mu.Unlock()
	_ = s.c.Quit() // it is over in any case
	s.abort()
}

// precision returns how exactly times are kept, 0 = not at all.
func (s *session) precision() time.Duration {
	switch {
	case !s.c.IsSetTimeSupported():
		return 0
	case !s.mlst:
		return 24 * time.Hour
	}
	return time.Second
}
