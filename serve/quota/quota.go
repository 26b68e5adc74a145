// Package quota counts what users have stored, and holds them to a limit of bytes and files. The
// files, in reading order:
//
//	fs.go       FS: a tree whose changes are counted; upload.go: an upload that is limited
//	nodes.go    Share: counting together with other nodes; sync.go: one exchange about one user
//	quota.go    Store and Account: what is counted, and where it is kept
//	lease.go    what this node may use of a user's limit without asking; agenda.go: when it asks
//	common.go   what nodes know together of a user
//	record.go   the file of a user
//	usage.go    numbers of bytes and files
//	scan.go     counting anew
//	share.go    what is recorded when a share of a limit is reached
//
// A user's count is changed by what the user does: by files that are committed, replaced, removed
// and renamed over others. What others do in the same tree, or on the remote itself, is not seen; a
// scan corrects that.
package quota

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/events"
	"ferry/ftp"
)

// Limits are those of a user; 0 is no limit.
type Limits struct {
	Bytes, Files int64
}

// A Store keeps the usage of users, each in a file of a directory. Several processes may read it.
// Its methods may be called concurrently.
type Store struct {
	// Events is where it is recorded that a user has reached a share of a limit; nil = nowhere. It
	// is set before the first Account.
	Events *events.Stream

	dir   string
	nodes *nodes // nil = there are none but this one

	mu       sync.Mutex
	accounts map[string]*Account // guarded by mu
}

// NewStore returns the Store in dir, which is made when there is something to keep.
func NewStore(dir string) *Store { return &Store{dir: dir, accounts: map[string]*Account{}} }

// path returns the file of a user. It has no dot in it, so that it is neither a directory nor
// another file that is being written. A name that would be too long for a disk is a hash.
func (s *Store) path(user string) string {
	name := strings.ReplaceAll(url.PathEscape(user), ".", "%2E")
	if len(name) > maxRecordName {
		sum := sha256.Sum256([]byte(user))
		name = "~" + hex.EncodeToString(sum[:])
	}
	return filepath.Join(s.dir, name)
}

// isHashed reports whether a record is called by a hash, which does not say whose it is.
func isHashed(name string) bool { return name[0] == '~' && len(name) == 1+2*sha256.Size }

// maxRecordName leaves room for the end of the name of a file that is being written.
const maxRecordName = 200

// Usage returns what is known here of a user; what was never counted is 0. Where nodes count
// together, that is what they have told.
func (s *Store) Usage(user string) (Usage, error) {
	if u, known := s.nodes.known(user); known {
		return u, nil
	}
	r, err := openRecord(s.path(user), false)
	if errors.Is(err, fs.ErrNotExist) {
		return Usage{}, nil
	}
	if err != nil {
		return Usage{}, err
	}
	defer r.close()
	return r.read()
}

// A State is what a user of an open Account has, and may have.
type State struct {
	User  string
	Used  Usage
	Limit Limits
}

// States returns those of the accounts that are open, in no order.
func (s *Store) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]State, 0, len(s.accounts))
	for _, a := range s.accounts {
		a.mu.Lock()
		if a.users.Load() > 0 {
			all = append(all, State{a.user, a.used.most(Usage{}), a.limits})
		}
		a.mu.Unlock()
	}
	return all
}

// Leases are what this node has leased where nodes count together, and how often it has asked.
type Leases struct {
	Bytes             int64
	Exchanges, Failed uint64
}

// Leases returns those of now; without a Share there are none.
func (s *Store) Leases() (now Leases) {
	if s.nodes == nil {
		return now
	}
	now.Exchanges, now.Failed = s.nodes.exchanges.Load(), s.nodes.failed.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		a.mu.Lock()
		now.Bytes += a.lease.granted.Bytes
		a.mu.Unlock()
	}
	return now
}

// Set replaces what is known of a user here, as after a Scan. A process that is counting takes it
// over with the next change.
func (s *Store) Set(user string, u Usage) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return replaceRecord(s.path(user), u)
}

// Account returns the account of a user, which all sessions of that user share. The limits hold
// from now on for all of them. The caller closes it.
func (s *Store) Account(user string, l Limits) (*Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.account(user, l)
	if err != nil {
		return nil, err
	}
	a.users.Add(1)
	a.limit(l)
	return a, nil
}

// account returns the account of a user, which is opened if it is not yet. LOCKS_REQUIRED(s.mu)
func (s *Store) account(user string, l Limits) (*Account, error) {
	if a := s.accounts[user]; a != nil {
		return a, nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	r, err := openRecord(s.path(user), true)
	if err != nil {
		return nil, fmt.Errorf("the usage of user %q: %w", user, err)
	}
	a := &Account{store: s, user: user, record: r}
	if err := a.read(r); err != nil {
		return nil, errors.Join(fmt.Errorf("the usage of user %q: %w", user, err), r.close())
	}
	a.reached = sharesOf(a.used, l)
	s.accounts[user] = a
	return a, nil
}

// An Account counts what one user has. Its methods may be called concurrently.
type Account struct {
	store *Store
	user  string
	users atomic.Int32 // changed under store.mu

	mu       sync.Mutex
	record   *record
	limits   Limits
	used     Usage
	reserved Usage                // by uploads that are under way
	uploads  map[string][]*upload // that are under way, by key
	reached  reached
	lease    *lease // nil where no other node counts
}

// Close ends the use of an account. Where nodes count together, it is closed when they know what it
// has counted.
func (a *Account) Close() error {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	if a.users.Add(-1) > 0 {
		return nil
	}
	if a.lease != nil {
		a.store.nodes.later(a, idle)
		return nil
	}
	return a.drop()
}

// drop closes an account that nobody uses. LOCKS_REQUIRED(a.store.mu)
func (a *Account) drop() error {
	delete(a.store.accounts, a.user)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.record.close()
}

// read takes in what a record says. LOCKS_REQUIRED(a.mu) if others know the account.
func (a *Account) read(r *record) error {
	used, err := r.read()
	if err != nil {
		return err
	}
	a.used = used
	if a.store.nodes == nil {
		return nil
	}
	t, err := r.readTally()
	if err != nil {
		return err
	}
	a.count0(t)
	return nil
}

func (a *Account) limit(l Limits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limits = l
	a.crossed()
	if a.lease != nil {
		a.store.nodes.later(a, 0)
	}
}

// Usage returns what the user has.
func (a *Account) Usage() Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used.most(Usage{})
}

// room returns how many bytes the user may still store.
func (a *Account) room() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leftOf().Bytes
}

// left returns how much more the user may store from here. Reservations count as stored.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) left() Usage {
	if a.lease != nil {
		return a.leased(time.Now())
	}
	return a.leftOf()
}

// bounded reports whether there is a limit of bytes.
func (a *Account) bounded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.limits.Bytes > 0
}

// change adds what more returns, which may be below 0, to what the user has. It is on the way to
// the disk when change returns, so that it survives the end of the process.
func (a *Account) change(more func() Usage) (Usage, error) {
	u, shares, err := a.changeLocked(more)
	a.store.record(shares)
	return u, err
}

// changeLocked is change, and returns the shares of the limits that the user has reached by it.
func (a *Account) changeLocked(more func() Usage) (Usage, []*events.Event, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := more()
	if u == (Usage{}) {
		return u, nil, nil
	}
	if err := a.takeOver(); err != nil {
		return u, nil, err
	}
	if a.lease != nil {
		return u, a.crossedBy(u), a.writeCounted()
	}
	a.used = a.used.plus(u).most(Usage{})
	return u, a.crossed(), a.record.write(a.used)
}

// crossedBy adds u to what nodes count together, and returns the shares of the limits that the user
// has reached by it. LOCKS_REQUIRED(a.mu)
func (a *Account) crossedBy(u Usage) []*events.Event {
	a.reached = sharesOf(a.used, a.limits) // by others, who have recorded that
	a.countedMore(u)
	when := soon
	if !u.covers(Usage{}) {
		when = breath // others may wait for what is free now
	}
	a.store.nodes.later(a, when)
	return a.crossed()
}

// count is change for what has happened, so that it does not fail: an error is logged.
func (a *Account) count(ctx context.Context, log *slog.Logger, more func() Usage) {
	if u, err := a.change(more); err != nil {
		log.ErrorContext(ctx, "what a user has stored cannot be counted", "user", a.user, "bytes", u.Bytes, "files", u.Files, "error", err)
	}
}

// takeOver reads the record again if another process has replaced it.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) takeOver() error {
	if a.record.isCurrent() {
		return nil
	}
	r, err := openRecord(a.store.path(a.user), true)
	if err != nil {
		return err
	}
	if err := a.read(r); err != nil {
		return errors.Join(err, r.close())
	}
	a.record.close()
	a.record = r
	return nil
}

// errFull is the error of an upload that is more than its user may store.
type errFull struct{ hint string }

func (e *errFull) Error() string { return "the quota of the user is used up" }

// Unwrap returns ftp.ErrQuota.
func (e *errFull) Unwrap() error { return ftp.ErrQuota }

// Hint is what the client may read.
func (e *errFull) Hint() string { return e.hint }

// tooManyBytes is the error of an upload for which there is no room.
func (a *Account) tooManyBytes() error {
	return a.full("You may not store that much: delete something first.")
}

func (a *Account) tooManyFiles() error {
	return a.full("You may not store more files: delete some first.")
}

func (a *Account) full(hint string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.lease; l != nil && (l.failed || l.done < l.begun) {
		hint = "How much you have stored cannot be found out now; try again later."
	}
	return &errFull{hint}
}
