package ftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/ftp/internal/sock"
)

// session is one client's control connection, from greeting to goodbye. Its state belongs to the
// goroutine that runs serve; a transfer's watcher (watch.go) only queues lines and cancels the
// transfer.
type session struct {
	srv *Server
	id  uint64
	door
	began  time.Time
	cancel context.CancelCauseFunc // ends everything the session does
	logger *slog.Logger            // nil until something is logged

	ctl          control
	pending      [][]byte    // lines received during a transfer, not executed yet
	pendingBytes int         // their memory
	aborted      bool        // ABOR came during the current command; its reply follows that of the command
	noisy        bool        // the Guard was told that the client does not speak FTP
	ended        bool        // the session closes after the current reply
	implicit     bool        // TLS before the greeting
	dismissed    atomic.Bool // it closes before the next command
	done         tally
	seen         *seen                   // for the Observer; nil without
	last         atomic.Pointer[command] // the last one; nil = none that is known
	active       atomic.Uint32           // when that came, in seconds since began

	// Login.
	named    bool         // USER was sent
	name     string       // its argument
	fs       FS           // nil before the login
	limits   Limits       // of fs
	cwd      string       // obeys io/fs.ValidPath
	failures int          // wrong passwords
	vhost    *virtualHost // nil in clear without HOST

	// Transfer parameters.
	ascii      bool // TYPE A
	deflate    bool // MODE Z
	zlevel     int8
	sized      bool // PBSZ was sent
	private    bool // PROT P
	epsvAll    bool // only EPSV from now on
	facts      facts
	guest      bool   // guarded by srv.mu: not logged in
	ending     Ending // why the session ends
	endpoint   endpoint
	restart    int64 // REST: offset of the next transfer
	allocate   int64 // ALLO: announced size of the next upload; 0 = none
	renameFrom string
	rangeStart int64 // RANG: the range of the next HASH
	rangeLen   int64 // below 0: to the end
	hashWith   *hashAlgorithm

	mu      sync.Mutex
	running *transfer // guarded by mu: the running transfer
	shown   shown     // guarded by mu
}

// shown is what changes of a SessionInfo while no transfer runs. Only the session writes it.
type shown struct {
	user, client string // client: argument of CLNT
	tls          bool
}

func newSession(srv *Server, conn net.Conn, d door, implicit bool) *session {
	s := &session{
		srv:      srv,
		id:       srv.lastID.Add(1),
		door:     d,
		implicit: implicit,
		began:    time.Now(),
	}
	s.ctl = control{tcp: conn, conn: conn, wait: sock.NewWaiter(conn), idle: srv.idleTimeout()}
	s.ctl.until = s.began.Add(srv.loginTimeout())
	s.reset()
	return s
}

// serve runs the session until its client leaves or times out, or ctx ends.
func (s *session) serve(ctx context.Context) {
	defer s.end(ctx)
	s.tellBegin()
	if s.implicit {
		if err := s.startTLS(s.srv.tls.control(s.id)); err != nil {
			s.handshakeFailed(ctx, err)
			return
		}
		s.private, s.sized = true, true
	}
	greeting := s.srv.Greeting
	if greeting == "" {
		greeting = "Ready."
	}
	s.ctl.write(reply{220, greeting})
	for !s.ended {
		s.ctl.idle = orDefault(s.limits.Idle, s.srv.idleTimeout())
		line, err := s.nextLine()
		switch {
		case errors.Is(err, errLineTooLong):
			s.ctl.write(reply{500, "Line too long."})
		case err != nil:
			s.replyClosing(ctx, err)
			s.ended = true
		default:
			s.execute(ctx, line)
		}
	}
}

// end tells of the end, sends what is to be sent, and closes everything.
func (s *session) end(ctx context.Context) {
	defer s.cancel(nil)
	defer s.ctl.close()
	s.tellEnd()
	s.logEnd(ctx)
	s.ctl.flush()
	s.reset()
}

// nextLine returns the next command: first the pending ones.
func (s *session) nextLine() ([]byte, error) {
	if s.ctl.stop.Load() == 0 && len(s.pending) > 0 {
		line := s.pending[0]
		s.pending = s.pending[1:]
		s.pendingBytes -= len(line) + pendingOverhead
		return line, nil
	}
	return s.ctl.readLine()
}

// replyClosing sends the client the reason why the session ends, unless the connection is lost.
func (s *session) replyClosing(ctx context.Context, err error) {
	switch {
	case errors.Is(err, errInterrupted):
		s.ending = endingBy(ctx, s.dismissed.Load())
		r, _ := errorReply(context.Cause(ctx))
		switch {
		case ctx.Err() != nil:
		case s.dismissed.Load():
			r, _ = errorReply(errDismissed)
		case !s.srv.isClosing():
			r, _ = errorReply(errDraining)
		default:
			r, _ = errorReply(errShutdown)
		}
		s.ctl.write(r)
	case errors.Is(err, os.ErrDeadlineExceeded) && s.fs == nil && !time.Now().Before(s.ctl.until):
		s.ending = EndIdle
		s.note(GuardEvent{Kind: NoLogin, Reason: "no login before the timeout"}, s.name)
		s.ctl.write(reply{421, "Login timeout."})
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.ending = EndIdle
		s.ctl.write(reply{421, "Idle timeout."})
	case errors.Is(err, errFlood):
		s.ending = EndRefused
		s.noise("a line without an end")
		s.ctl.write(reply{500, "Line too long."})
	case errors.Is(err, errNotFTP):
		s.ending = EndRefused
		s.noise("a TLS handshake on a port for FTP")
		s.log(ctx, slog.LevelDebug, "connection closed", slog.Any("reason", err))
	case errors.Is(err, io.EOF):
		s.log(ctx, slog.LevelDebug, "connection closed", slog.Any("reason", err))
	default:
		s.log(ctx, slog.LevelDebug, "connection lost", slog.Any("error", err))
	}
}

// execute answers one command line.
func (s *session) execute(ctx context.Context, line []byte) {
	verb, arg := parseCommand(line)
	c := s.srv.commands.byName[string(verb)]
	s.last.Store(c)
	s.active.Store(uint32(time.Since(s.began) / time.Second))
	debugging := s.srv.log.Enabled(ctx, slog.LevelDebug)
	if debugging {
		s.logCommand(ctx, c, verb, arg)
	}
	s.see(c, verb, arg)
	var r reply
	if c == nil {
		r = s.unknown(verb, arg)
	} else if r = c.refusal(s, arg); r.isZero() {
		r = s.run(ctx, c, arg)
	}
	s.logRefusal(ctx, c, verb, arg, r)
	if debugging && !r.isZero() {
		s.log(ctx, slog.LevelDebug, "reply", slog.Int("code", r.code), slog.String("text", r.text))
	}
	s.tell(r)
	s.ctl.write(r)
	if s.aborted {
		s.aborted = false
		s.tellDuring("ABOR", reply{226, "ABOR: done."})
		s.ctl.write(reply{226, "ABOR: done."})
	}
	switch {
	case c == nil || s.endpoint == nil:
	case c.moves != nowhere:
		s.dismissData(c.moves)
	case c.arranges && r.code >= 400:
		s.closeEndpoint()
	}
	s.unsee()
}

// run calls the handler. A panic is answered 451 and the session goes on.
func (s *session) run(ctx context.Context, c *command, arg string) (r reply) {
	defer func() {
		if p := recover(); p != nil {
			s.log(ctx, slog.LevelError, "panic in a command", slog.String("command", c.name),
				slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			r = reply{451, "Internal error; the server's log says more."}
		}
	}()
	return c.run(s, ctx, arg)
}

// unknown answers a command that is not in the table. A web browser, or a page that makes one
// connect to this port, is disconnected: by its request line, or, as that may be too long to be
// parsed, by the colon of its first header.
func (s *session) unknown(verb []byte, arg string) reply {
	if strings.Contains(arg, " HTTP/") || bytes.HasSuffix(verb, []byte{':'}) {
		s.ended, s.ending = true, EndRefused
		s.noise("an HTTP request")
		return reply{500, "This is an FTP server, not a web server."}
	}
	if len(verb) > 0 && len(wordOf(verb)) == 0 {
		s.noise("a line that is no command")
	}
	return reply{500, fmt.Sprintf("%q not understood.", wordOf(verb))}
}

// info returns a snapshot of the session. It may be called from any goroutine.
func (s *session) info() SessionInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := SessionInfo{
		ID: s.id, Remote: s.remote, Since: s.began,
		TLS: s.shown.tls, User: s.shown.user, Client: s.shown.client,
		Active: s.began.Add(time.Duration(s.active.Load()) * time.Second), Size: -1,
	}
	if c := s.last.Load(); c != nil {
		i.Last = c.name
	}
	if t := s.running; t != nil {
		i.Command, i.Path, i.Began, i.Bytes = t.verb, absolute(t.name), t.began, t.bytes()
		if n := t.expected.Load(); n > 0 {
			i.Size = n
		}
	}
	return i
}
