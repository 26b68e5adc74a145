package auth

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A Verifier verifies passwords against hashes with a bounded part of the processors, and remembers
// which were right, as deriving a hash is slow on purpose. Its methods may be called concurrently.
type Verifier struct {
	// constant
	remember   time.Duration
	key        prover
	processors *slots
	verify     func(hash, password string) (bool, error)

	running flights[proof, bool]

	mu     sync.Mutex
	proven map[string][]provenHash // guarded by mu: by user, at most one for each hash of the user
	swept  time.Time               // guarded by mu: when the old ones were last removed
	decoys [][]string              // guarded by mu
}

// A provenHash remembers the password that is right for a hash.
type provenHash struct {
	hash  string
	proof proof
	until time.Time
}

// maxProven bounds the users that are remembered: about 6 MB.
const maxProven = 20_000

// defaultHash costs what a hash of NewHash does. Nobody knows a password for it.
const defaultHash = "$argon2id$v=19$m=19456,t=2,p=1$VGhpcyBpcyBubyBzYWx0Lg$XyE3nO0nJkzkJb0X1u5wqfRMpk8T3nJtB3Yz6mW0bQk"

// NewVerifier returns a Verifier that remembers a right password for that time (0: not at all), and
// uses at most that many processors at a time (0: half of them, at least one).
func NewVerifier(remember time.Duration, parallel int) *Verifier {
	if parallel <= 0 {
		parallel = max(runtime.GOMAXPROCS(0)/2, 1)
	}
	return &Verifier{
		remember: remember, key: newProver(), processors: newSlots(parallel), verify: Verify,
		proven: map[string][]provenHash{},
	}
}

// SetDecoys says which hashes the known users have, each of them one or several. An unknown user
// then costs what one of these does, the same one each time, so that the time tells nobody whether
// there is such a user. Without them an unknown user costs what a hash of NewHash does.
func (v *Verifier) SetDecoys(users [][]string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.decoys = users
}

// Verify reports whether password is right for one of the hashes of user. Without hashes, for
// unknown users, it takes the time of a verification and reports false. A password that was right
// a short time ago for a hash that is still among them is not verified again, and waits for
// nobody. It fails if ctx ends before its turn, or if none is right and a hash is not Supported.
func (v *Verifier) Verify(ctx context.Context, user, password string, hashes []string) (bool, error) {
	if v.recall(user, password, hashes) {
		recalled(ctx)
		return true, nil
	}
	all := v.key.prove(append([]string{user, password}, hashes...)...)
	return v.running.do(ctx, all, func() (bool, error) {
		if len(hashes) == 0 {
			_, err := v.derive(ctx, password, v.decoy(user))
			return false, err
		}
		hash, err := v.derive(ctx, password, hashes)
		if hash == "" || err != nil {
			return false, err
		}
		v.keep(user, password, hash)
		return true, nil
	})
}

// derive returns the first hash that password is right for, "" without one.
func (v *Verifier) derive(ctx context.Context, password string, hashes []string) (string, error) {
	var failed error
	for _, hash := range hashes {
		lanes := 1
		if h, err := parseHash(hash); err == nil {
			lanes = h.lanes
		}
		giveBack, err := v.processors.take(ctx, lanes)
		if err != nil {
			return "", err
		}
		right, err := v.verify(hash, password)
		giveBack()
		if right {
			return hash, nil
		}
		failed = errors.Join(failed, err)
	}
	return "", failed
}

// recall reports whether password was right for one of hashes. It forgets what it knows of other
// hashes of the user.
func (v *Verifier) recall(user, password string, hashes []string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	known, found := v.proven[user]
	if !found {
		return false
	}
	now := time.Now()
	known = slices.DeleteFunc(known, func(p provenHash) bool {
		return !now.Before(p.until) || !slices.Contains(hashes, p.hash)
	})
	if len(known) == 0 {
		delete(v.proven, user)
		return false
	}
	v.proven[user] = known
	right := false
	for _, p := range known {
		given := v.key.prove(user, password, p.hash)
		right = hmac.Equal(given[:], p.proof[:]) || right
	}
	return right
}

// keep remembers that password is right for hash.
func (v *Verifier) keep(user, password, hash string) {
	if v.remember <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if now.Sub(v.swept) >= v.remember {
		v.sweep(now)
	}
	if _, found := v.proven[user]; !found && len(v.proven) >= maxProven {
		for other := range v.proven { // any
			delete(v.proven, other)
			break
		}
	}
	known := slices.DeleteFunc(v.proven[user], func(p provenHash) bool { return p.hash == hash })
	v.proven[user] = append(known, provenHash{hash, v.key.prove(user, password, hash), now.Add(v.remember)})
}

// sweep forgets what is too old. LOCKS_REQUIRED(v.mu).
func (v *Verifier) sweep(now time.Time) {
	v.swept = now
	for user, known := range v.proven {
		if !slices.ContainsFunc(known, func(p provenHash) bool { return now.Before(p.until) }) {
			delete(v.proven, user)
		}
	}
}

// decoy returns the hashes that an unknown user is verified against.
func (v *Verifier) decoy(user string) []string {
	which := v.key.prove("decoy", user)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.decoys) == 0 {
		return []string{defaultHash}
	}
	return v.decoys[binary.BigEndian.Uint64(which[:])%uint64(len(v.decoys))]
}
