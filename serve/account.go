package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/time/rate"

	"ferry/ftp"
	"ferry/serve/users"
	"ferry/vfs"
)

// An account is what the sessions of one user share.
type account struct {
	up, down *rate.Limiter // of bytes

	mu        sync.Mutex
	user      *users.User // guarded by mu, and does not change; what holds for new sessions and transfers
	sessions  []*session  // guarded by mu
	transfers int         // guarded by mu
}

// A session is one login of a user.
type session struct {
	account  *account
	id       uint64      // of the session in the FTP server
	user     *users.User // as it was at the login; does not change
	releases []func()    // called last to first

	trees []*vfs.FS // guarded by account.mu where there is one; what it sees
}

func (s *session) release() {
	for _, do := range slices.Backward(s.releases) {
		do()
	}
	s.releases = nil
}

// A view is the tree that a session sees, and its limits.
type view struct {
	ftp.Forward
	session *session
}

// Close closes the tree, and ends the session.
func (v *view) Close() error {
	err := v.Forward.Close()
	v.session.release()
	return err
}

// Limits implements ftp.Limited.
func (v *view) Limits() ftp.Limits {
	s := v.session
	return ftp.Limits{
		Start: s.user.Start, Idle: s.user.IdleTimeout,
		Up: s.account.waiter(s.account.up), Down: s.account.waiter(s.account.down),
		Transfer: s.account.transfer, Private: s.user.RequireTLS,
	}
}

// Source implements observe.Sourced: it is "remote" where a remote has looked at the password.
func (v *view) Source() string {
	if v.session.user.Auth == users.AuthRemote {
		return "remote"
	}
	return ""
}

// begin adds a session to the account of u, which is opened with the first one. It is held to what
// the Source says now: what it said before the password was verified may be gone, and Reload has
// not seen the session.
func (a *Accounts) begin(c ftp.Client, u users.User) (*session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if source, knows := a.Source.(interface {
		Current(name string) (users.User, bool)
	}); knows {
		now, ok := source.Current(u.Name)
		if !ok || !u.Same(now) {
			return nil, &changedError{u.Name}
		}
		u = now
	}
	if a.open == nil {
		a.open = map[string]*account{}
	}
	acc := a.open[u.Name]
	if acc == nil {
		acc = &account{up: newLimiter(u.RateUp), down: newLimiter(u.RateDown)}
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if n := len(acc.sessions) + a.elsewhere(u); u.MaxSessions > 0 && n >= u.MaxSessions {
		return nil, &limitError{
			what: fmt.Sprintf("user %q has %d sessions", u.Name, n),
			hint: "You are logged in too often; close other connections first.",
		}
	}
	acc.user = &u
	acc.setRates()
	a.open[u.Name] = acc
	s := &session{account: acc, id: c.Session, user: &u}
	acc.sessions = append(acc.sessions, s)
	a.count(acc)
	return s, nil
}

// elsewhere returns how many sessions u has at other nodes, where that matters.
func (a *Accounts) elsewhere(u users.User) int {
	if a.Elsewhere == nil || u.MaxSessions <= 0 {
		return 0
	}
	return a.Elsewhere.Others(u.Name)
}

// count tells other nodes of the sessions of acc. LOCKS_REQUIRED(acc.mu)
func (a *Accounts) count(acc *account) {
	if a.Elsewhere == nil {
		return
	}
	n := len(acc.sessions)
	if acc.user.MaxSessions <= 0 {
		n = 0
	}
	a.Elsewhere.Count(acc.user.Name, n)
}

// recount is count for an account that was reloaded.
func (a *Accounts) recount(acc *account) {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	a.count(acc)
}

// end removes a session; with the last one of an account that is closed.
func (a *Accounts) end(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc := s.account
	acc.mu.Lock()
	defer acc.mu.Unlock()
	acc.sessions = slices.DeleteFunc(acc.sessions, func(o *session) bool { return o == s })
	if a.count(acc); len(acc.sessions) == 0 {
		delete(a.open, s.user.Name)
	}
}

// sees notes that s sees tree.
func (s *session) sees(tree *vfs.FS) {
	if s.account != nil {
		s.account.mu.Lock()
		defer s.account.mu.Unlock()
	}
	s.trees = append(s.trees, tree)
}

// seeing returns the sessions that see tree.
func (acc *account) seeing(tree *vfs.FS) []uint64 {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	var ids []uint64
	for _, s := range acc.sessions {
		if slices.Contains(s.trees, tree) {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// reload makes u hold, and returns the sessions that began with a user who is not the same.
func (acc *account) reload(u users.User) []uint64 {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	acc.user = &u
	acc.setRates()
	var others []uint64
	for _, s := range acc.sessions {
		if !s.user.Same(u) {
			others = append(others, s.id)
		}
	}
	return others
}

// transfer begins a transfer, unless there are as many as the user may have.
func (acc *account) transfer() (done func(), err error) {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if limit := acc.user.MaxTransfers; limit > 0 && acc.transfers >= limit {
		return nil, &limitError{
			what: fmt.Sprintf("user %q has %d transfers", acc.user.Name, acc.transfers),
			hint: fmt.Sprintf("You may have %d transfers at a time; wait for one to end.", limit),
		}
	}
	acc.transfers++
	return sync.OnceFunc(func() {
		acc.mu.Lock()
		defer acc.mu.Unlock()
		acc.transfers--
	}), nil
}

// A limitError says that a user has as much as is allowed.
type limitError struct{ what, hint string }

// Limit tells it from other errors.
func (e *limitError) Limit() bool { return true }

func (e *limitError) Error() string { return e.what + ", as many as are allowed" }

// Hint is what the client may read.
func (e *limitError) Hint() string { return e.hint }

// A changedError says that a login began before the user was changed.
type changedError struct{ user string }

func (e *changedError) Error() string {
	return fmt.Sprintf("user %q was changed while logging in", e.user)
}

// Hint is what the client may read.
func (e *changedError) Hint() string { return "What you may do has changed; log in again." }

// rateBurst is how many bytes pass at once after a pause: enough that no read or write is split for
// it often.
const rateBurst = 256 << 10

func newLimiter(bytesPerSecond int64) *rate.Limiter {
	return rate.NewLimiter(limitOf(bytesPerSecond), rateBurst)
}

func limitOf(bytesPerSecond int64) rate.Limit {
	if bytesPerSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(bytesPerSecond)
}

// setRates makes the rates of the user hold, for running transfers too.
//
// LOCKS_REQUIRED(acc.mu)
func (acc *account) setRates() {
	acc.up.SetLimit(limitOf(acc.user.RateUp))
	acc.down.SetLimit(limitOf(acc.user.RateDown))
}

// waiter returns a function that waits until l lets bytes pass.
func (acc *account) waiter(l *rate.Limiter) func(ctx context.Context, n int) error {
	return func(ctx context.Context, n int) error {
		for n > 0 && l.Limit() != rate.Inf {
			part := min(n, rateBurst)
			n -= part
			if err := l.WaitN(ctx, part); err != nil {
				return errors.Join(context.Cause(ctx), err)
			}
		}
		return nil
	}
}
