package ftp

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"
)

const (
	maxFailures  = 6 // wrong passwords before the connection is closed
	failureDelay = 500 * time.Millisecond
)

// user accepts any name: it must not reveal which names exist (RFC 2577, section 6).
func (s *session) user(ctx context.Context, arg string) reply {
	if s.srv.tuned().RequireTLS && !s.ctl.isTLS() {
		s.note(GuardEvent{Kind: LoginRefused, Reason: "TLS is required"}, arg)
		s.tellLogin(arg, LoginRefused, nil, "TLS is required")
		return reply{530, "This server requires TLS: send AUTH TLS first."}
	}
	if s.fs != nil {
		private, sized := s.private, s.sized
		s.reset()
		s.private, s.sized = private, sized
		s.ctl.until = time.Now().Add(s.srv.loginTimeout())
	}
	s.named, s.name = true, arg
	if r := s.certLogin(ctx); !r.isZero() {
		return r
	}
	return reply{331, "Password, please."}
}

// certLogin logs the user in whose certificate the client has, if the backend knows it. The zero
// reply means that a password is needed.
func (s *session) certLogin(ctx context.Context) reply {
	c := s.clientInfo()
	backend, able := s.srv.Backend.(CertBackend)
	if !able || len(c.Certificates) == 0 {
		return reply{}
	}
	s.timeLogin()
	tree, err := backend.LoginByCertificate(ctx, c, s.name)
	switch {
	case errors.Is(err, ErrDenied):
		return reply{}
	case err != nil:
		return s.loginFailed(ctx, s.name, err)
	}
	s.loggedIn(ctx, tree)
	return reply{232, "Logged in by your certificate."}
}

func (s *session) pass(ctx context.Context, arg string) reply {
	if s.fs != nil {
		return reply{230, "Already logged in."}
	}
	if !s.named {
		return badSequence("Send USER first.")
	}
	endTurn := s.srv.hosts.guesses.Turn(ctx, s.remote.Addr())
	if endTurn == nil {
		s.ended, s.ending = true, EndRefused
		return reply{421, "Cannot log in now; try again later."}
	}
	defer endTurn()
	delay, ok := s.srv.hosts.guesses.Delay(s.remote.Addr(), time.Now())
	if !ok {
		s.ended, s.ending = true, EndRefused
		s.note(GuardEvent{Kind: LoginHeldOff, Reason: "too many wrong passwords"}, s.name)
		s.tellLogin(s.name, LoginHeldOff, nil, "too many wrong passwords")
		return reply{421, "Too many wrong passwords from your address; try again later."}
	}
	if delay > 0 {
		endTurn() // the slot at the end of the delay is reserved
		sleep(ctx, delay)
	}
	s.timeLogin()
	tree, err := s.srv.Backend.Login(ctx, s.clientInfo(), s.name, arg)
	if err != nil {
		return s.denied(ctx, err, arg, endTurn)
	}
	s.srv.hosts.guesses.Succeeded(s.remote.Addr())
	s.loggedIn(ctx, tree)
	return reply{230, "Logged in."}
}

// loggedIn makes tree what the session is about.
func (s *session) loggedIn(ctx context.Context, tree FS) {
	s.fs, s.cwd, s.failures = tree, ".", 0
	if l, limited := tree.(Limited); limited {
		s.limits = l.Limits()
		s.enterStart(ctx)
	}
	s.ctl.until = time.Time{}
	s.mu.Lock()
	s.shown.user = s.name
	s.mu.Unlock()
	s.srv.setGuest(s, false)
	s.srv.totals.logins.Add(1)
	s.done.user = s.name
	s.note(GuardEvent{Kind: LoggedIn}, s.name)
	s.tellLogin(s.name, LoggedIn, nil, "")
	s.log(ctx, slog.LevelInfo, "logged in", slog.String("user", s.name),
		slog.Bool("tls", s.ctl.isTLS()), s.ctl.tlsVersion())
}

// enterStart changes to the directory in which the session starts, if it is one.
func (s *session) enterStart(ctx context.Context) {
	start := s.limits.Start
	if start == "" {
		return
	}
	name, err := resolve(".", start)
	if err == nil {
		var fi fs.FileInfo
		if fi, err = s.fs.Stat(ctx, name); err == nil && !fi.IsDir() {
			err = ErrNotDir
		}
	}
	if err != nil {
		s.logError("entering the start directory", start, err)
		return
	}
	s.cwd = name
}

func (s *session) clientInfo() Client {
	return Client{Session: s.id, Remote: s.remote, Local: s.facing, TLS: s.ctl.isTLS(), Host: s.vhost.name(), Name: s.shown.client,
		Certificates: s.ctl.certificates()}
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// denied delays each wrong password longer than the one before (RFC 2577, section 5), counted over
// all sessions of the address.
func (s *session) denied(ctx context.Context, err error, password string, endTurn func()) reply {
	name := s.name
	s.named, s.name = false, ""
	if !errors.Is(err, ErrDenied) {
		return s.loginFailed(ctx, name, err)
	}
	s.failures++
	s.done.logged = true
	s.srv.totals.denied.Add(1)
	s.srv.hosts.guesses.Failed(s.remote.Addr(), time.Now())
	endTurn()
	s.log(ctx, slog.LevelWarn, "login denied", slog.String("user", name), slog.Int("failures", s.failures), slog.Any("reason", err))
	why := denial(err, password)
	s.note(why, name)
	s.tellLogin(name, why.Kind, err, "")
	sleep(ctx, time.Duration(s.failures)*failureDelay)
	if s.failures >= maxFailures {
		s.ended, s.ending = true, EndRefused
		return reply{421, "Too many wrong passwords."}
	}
	return reply{530, "Login incorrect."}
}

// denial tells the Guard why a login was denied.
func denial(err error, password string) GuardEvent {
	e := GuardEvent{Kind: WrongPassword, Password: password, Reason: "wrong password"}
	switch {
	case errors.Is(err, ErrUnknownUser):
		e.Kind, e.Reason = UnknownUser, "unknown user"
	case errors.Is(err, ErrRefused):
		e.Kind, e.Reason = LoginRefused, strings.TrimPrefix(err.Error(), ErrRefused.Error()+": ")
	}
	return e
}

// loginFailed answers a login that could not be checked, or that is refused for now, and ends the
// session.
func (s *session) loginFailed(ctx context.Context, name string, err error) reply {
	s.done.logged = true
	s.log(ctx, slog.LevelError, "login failed", slog.String("user", name), slog.Any("error", err))
	s.ended, s.ending = true, EndRefused
	s.tellLogin(name, LoginRefused, err, "")
	return reply{421, hintOr(err, "Cannot log in now; try again later.")}
}

func (s *session) acct(context.Context, string) reply {
	return reply{202, "No account is needed."}
}

// rein resets the session, as if the connection were new. Under TLS it would have to return to
// clear text (RFC 4217, section 11), so it is refused; the client can reconnect.
func (s *session) rein(context.Context, string) reply {
	if s.ctl.isTLS() {
		return reply{502, "REIN is not available under TLS; reconnect."}
	}
	if s.fs != nil {
		s.ctl.until = time.Now().Add(s.srv.loginTimeout()) // it does not extend the deadline of a session without a login
	}
	s.reset()
	s.vhost = nil
	s.setClient("")
	return reply{220, "Ready for a new user."}
}

// reset restores the defaults of everything that a login or a parameter command changes.
func (s *session) reset() {
	s.named, s.name, s.cwd = false, "", "."
	s.ascii, s.deflate, s.zlevel = true, false, modeZLevel
	s.epsvAll, s.restart, s.allocate, s.renameFrom = false, 0, 0, ""
	s.rangeStart, s.rangeLen = 0, -1
	s.facts, s.hashWith = factsDefault, &hashAlgorithms[0]
	s.limits, s.ctl.idle = Limits{}, s.srv.idleTimeout()
	s.closeEndpoint()
	s.closeTree()
	s.mu.Lock()
	s.shown.user = ""
	s.mu.Unlock()
}

// closeTree closes the FS. It also runs at the end of the session, outside of any command: a panic
// in it must not end the process.
func (s *session) closeTree() {
	tree := s.fs
	if tree == nil {
		return
	}
	s.fs = nil
	s.srv.setGuest(s, true)
	defer func() {
		if p := recover(); p != nil {
			s.log(context.Background(), slog.LevelError, "panic in closing the tree",
				slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	if err := tree.Close(); err != nil {
		s.logError("closing the tree", "", err)
	}
}

func (s *session) quit(context.Context, string) reply {
	s.ended, s.ending = true, EndQuit
	return reply{221, "Goodbye."}
}

// host stores the name by which the client knows this server (RFC 7151). Every name leads to the
// same trees, unless the Backend decides otherwise. Before TLS it chooses the certificate; under
// TLS, a host is refused whose certificate is another one than the client has asked for by SNI.
func (s *session) host(_ context.Context, arg string) reply {
	name := strings.TrimSpace(arg)
	if !validHost(name) {
		return badArgument("Not a host name.")
	}
	if s.ctl.isTLS() && s.vhost.denies(name, s.srv.TLS.GetCertificate) {
		return reply{504, "That host has another certificate; name it in the TLS handshake, or before AUTH TLS."}
	}
	if s.vhost == nil {
		s.vhost = new(virtualHost)
	}
	s.vhost.host = name
	return reply{220, "Host accepted."}
}

// validHost accepts domain names and addresses, IPv6 in brackets (RFC 7151, section 3.1).
func validHost(name string) bool {
	if inner, found := strings.CutPrefix(name, "["); found {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && a.Is6() && strings.HasSuffix(name, "]")
	}
	if name == "" || len(name) > 255 {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`/\:"@`, c) >= 0 {
			return false
		}
	}
	return true
}

func (s *session) clnt(_ context.Context, arg string) reply {
	s.setClient(arg)
	return ok("Noted.")
}

func (s *session) setClient(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown.client = name
}
