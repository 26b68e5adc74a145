package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ferry/ftp/internal/sock"
)

// A Server answers FTP on any number of listeners. The fields are set before the first Serve and
// not changed after it: Adjust changes what may change of them. The zero value of each is usable
// and documented. Only Backend is required.
type Server struct {
	Backend  Backend
	Log      *slog.Logger // nil: slog.Default(); slog.DiscardHandler discards
	Greeting string       // the text after 220; "" = "Ready."
	Guard    Guard        // who is admitted; nil: everybody
	Observer Observer     // is told what happens; nil: nobody
	Proxies  Proxies      // load balancers that tell who their client is; nil: there are none
	// Elsewhere has sessions that MaxSessionsPerHost counts too; nil: nowhere.
	Elsewhere Elsewhere

	// TLS enables AUTH TLS, and ServeTLS for implicit TLS. nil: AUTH is answered 502. Its
	// GetCertificate sees the argument of HOST as the name of the server if the client has given
	// none, and is not asked again for data connections, which show the same certificate.
	TLS        *tls.Config
	RequireTLS bool      // refuse USER and data connections in clear (RFC 4217, section 12)
	DataResume TLSResume // requirement for the TLS sessions of data connections

	Passive PortRange // ports of passive data connections; the zero value lets the system choose
	// PublicIP returns the address that PASV announces to client; the zero Addr or nil: the control
	// connection's own.
	PublicIP          func(ctx context.Context, client netip.Addr) (netip.Addr, error)
	NoActive          bool // refuse PORT and EPRT
	AllowFXP          bool // PORT and EPRT may name another host than the client, and passive peers may be anyone
	AllowPeerMismatch bool // data connections may come from another address than the control connection
	AcceptAbruptClose bool // accept an upload whose control connection ends together with its data

	MaxSessions        int // concurrent sessions; 0 = no limit
	MaxSessionsPerHost int // of them, those of one client address, or of one IPv6 network of 64 bits; 0 = no limit
	// MaxGuests limits the sessions that have not logged in; 0 = three quarters of MaxSessions, so
	// that some are always left for logins. MaxGuestsPerHost is the same for one address; 0 = a
	// quarter of MaxGuests, but at least 8. Below 0, or 0 without MaxSessions, means no limit.
	MaxGuests        int
	MaxGuestsPerHost int

	IdleTimeout  time.Duration // a session without a transfer ends after it; 0 = 5m
	LoginTimeout time.Duration // time to log in; 0 = 1m
	DataConnect  time.Duration // time to open a data connection; 0 = 30s
	DataStall    time.Duration // time without a byte after which a transfer ends; 0 = 2m
	MinRate      int64         // bytes per second; a transfer ends if its client is slower for a minute; 0 = any

	ConvertASCII bool           // TYPE A converts line ends (RFC 959); otherwise it transfers bytes unchanged
	ListLocation *time.Location // time zone of LIST; nil = UTC. MDTM and MLSD are always UTC.

	live     atomic.Pointer[Tunable] // nil before the first Serve: the fields count
	prepare  sync.Once
	commands *table
	sites    *table
	tls      *tlsContext // nil without TLS
	log      *slog.Logger
	lastID   atomic.Uint64
	totals   totals
	history  history
	hosts    hosts
	ports    ports
	threads  sock.Threads // on which large downloads block

	refusals  logLimiter // log of refused sessions
	shortages logLimiter // log of failed requests to the system

	mu        sync.Mutex
	listeners map[net.Listener]*acceptLoop // guarded by mu
	sessions  map[*session]struct{}        // guarded by mu
	guests    int                          // guarded by mu; how many of them have not logged in
	draining  bool                         // guarded by mu; no new session starts until Drain(false)
	closing   bool                         // guarded by mu; no new session starts
	gone      chan struct{}                // guarded by mu; closed when closing and the last session has ended
}

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = errors.New("ftp: server closed")

// TLSResume says whether data connections must resume the TLS session of their control connection.
type TLSResume uint8

const (
	ResumeOffer   TLSResume = iota // resumption is offered, not required
	ResumeOff                      // every data connection makes a full handshake
	ResumeRequire                  // a data connection must resume the session of its control connection
)

// PortRange is inclusive on both ends. {0, 0} means any port.
type PortRange struct {
	First, Last uint16
}

// Serve accepts connections from l until ctx ends, Shutdown or Close is called, or l fails; then it
// closes l. It always returns an error: ErrServerClosed after Shutdown and Close, the cause of ctx
// if that ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return s.serve(ctx, l, false)
}

// ServeTLS is Serve for implicit TLS: the handshake comes before the greeting, and data connections
// are protected from the start. It needs Server.TLS.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error {
	if s.TLS == nil {
		l.Close()
		return errors.New("ftp: implicit TLS needs a TLS configuration")
	}
	return s.serve(ctx, l, true)
}

func (s *Server) serve(ctx context.Context, l net.Listener, implicit bool) error {
	if s.Backend == nil {
		l.Close()
		return errors.New("ftp: Server.Backend is not set: it says who may log in, as SingleUser does")
	}
	s.prepare.Do(s.setUp)
	defer l.Close()
	loop := s.track(l)
	if loop == nil {
		return ErrServerClosed
	}
	defer s.untrack(l)
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	return s.accept(ctx, loop, implicit)
}

func (s *Server) setUp() {
	s.commands = newTable(commandRows())
	s.sites = newTable(siteRows())
	s.log = s.Log
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.TLS != nil {
		s.tls = newTLSContext(s.TLS, s.DataResume)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live.CompareAndSwap(nil, s.tuned()) // Adjust may have been called
	s.listeners = make(map[net.Listener]*acceptLoop)
	s.sessions = make(map[*session]struct{})
	s.gone = make(chan struct{})
}

// track returns what accepts for l, nil after the end.
func (s *Server) track(l net.Listener) *acceptLoop {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil
	}
	loop := &acceptLoop{listener: l}
	s.listeners[l] = loop
	return loop
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// Shutdown stops accepting, ends idle sessions with 421, and lets running transfers finish; each
// session ends with 421 after its transfer. If ctx ends first, it aborts the rest and returns the
// cause of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	gone := s.beginClosing()
	s.eachSession(func(ss *session) { ss.ctl.interrupt(stopSession) })
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		if err := s.abort(gone); err != nil {
			return fmt.Errorf("%w; %w", context.Cause(ctx), err)
		}
		return context.Cause(ctx)
	}
}

// Drain takes the server out of service, or puts it back: while on holds, new sessions are refused
// with 421, and those that are there end with it, each after its running transfer. It returns at
// once; the listeners stay. It has no effect after Shutdown and Close.
func (s *Server) Drain(on bool) {
	s.prepare.Do(s.setUp)
	s.mu.Lock()
	s.draining = on
	s.mu.Unlock()
	if on {
		s.eachSession(func(ss *session) { ss.ctl.interrupt(stopSession) })
	}
}

// Close ends everything at once: it aborts transfers and sends 421. It returns when no session is
// left, or with an error some seconds later if a session still waits for a storage that ignores its
// context.
func (s *Server) Close() error {
	return s.abort(s.beginClosing())
}

// closeGrace is how long a session may take to send its last reply before its connection is cut,
// and then to end.
const closeGrace = 2 * time.Second

func (s *Server) abort(gone chan struct{}) error {
	for _, end := range []func(*session){
		func(ss *session) { ss.kill(errShutdown) },
		func(ss *session) { ss.ctl.tcp.Close() },
	} {
		s.eachSession(end)
		select {
		case <-gone:
			return nil
		case <-time.After(closeGrace):
		}
	}
	return fmt.Errorf("ftp: %d sessions still wait for their storage", s.Stats().Sessions)
}

// beginClosing closes the listeners, once, and returns the channel that is closed when no session
// is left.
func (s *Server) beginClosing() chan struct{} {
	s.prepare.Do(s.setUp)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing = true
		if len(s.sessions) == 0 {
			close(s.gone)
		}
	}
	for l := range s.listeners {
		l.Close()
	}
	return s.gone
}
