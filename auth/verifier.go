package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// A Verifier verifies passwords within bounds: deriving a hash takes a processor for some time, on
// purpose. Its methods may be called concurrently.
type Verifier struct {
	// constant
	remember time.Duration
	key      [32]byte      // of proofs
	slots    chan struct{} // bounds the verifications at a time
	verify   func(hash, password string) (bool, error)
	decoy    func() string // a hash that no password is the one of

	mu      sync.Mutex
	proven  map[proof]time.Time     // guarded by mu: until when a password needs no verification
	flights map[proof]*verification // guarded by mu: those under way
}

// proof is the keyed hash of a user, the user's hashes and a password.
type proof [sha256.Size]byte

// maxProven bounds the remembered passwords. At that number all are forgotten.
const maxProven = 100_000

// A verification is shared by all who log in with the same password at a time.
type verification struct {
	done  chan struct{} // closed when the rest is set
	right bool
	err   error
}

// NewVerifier returns a Verifier that remembers for a time which passwords were right, 0 = not at
// all, and that verifies parallel of them at a time; 0 = on half of the processors, at least one.
func NewVerifier(remember time.Duration, parallel int) *Verifier {
	if parallel <= 0 {
		parallel = max(runtime.GOMAXPROCS(0)/2, 1)
	}
	v := &Verifier{
		remember: remember, slots: make(chan struct{}, parallel), verify: Verify,
		proven: map[proof]time.Time{}, flights: map[proof]*verification{},
		decoy: sync.OnceValue(func() string {
			hash, err := NewHash("", "", rand.Text())
			if err != nil {
				panic(err) // never: the password is one
			}
			return hash
		}),
	}
	_, _ = rand.Read(v.key[:]) // never fails
	return v
}

// Verify reports whether password is that of one of the hashes of user. Without hashes it takes as
// long as one that NewHash makes, and reports false: an unknown user is not told from a wrong
// password. What was right is remembered in memory, as a keyed hash, for as long as the hashes are
// the same; then it needs no turn among the verifications. The error is the cause of ctx, or that
// of a hash that is not Supported.
func (v *Verifier) Verify(ctx context.Context, user, password string, hashes []string) (bool, error) {
	p := v.proof(user, password, hashes)
	for {
		f, leads := v.join(p)
		switch {
		case f == nil:
			return true, nil
		case leads:
			f.right, f.err = v.derive(ctx, password, hashes)
			v.land(p, f)
			return f.right, f.err
		}
		select {
		case <-f.done:
			if f.err == nil {
				return f.right, nil
			}
			// The one that led may have left; the next one leads.
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

func (v *Verifier) proof(user, password string, hashes []string) (p proof) {
	m := hmac.New(sha256.New, v.key[:])
	for _, s := range append([]string{user, password}, hashes...) {
		fmt.Fprintf(m, "%d:%s", len(s), s)
	}
	m.Sum(p[:0])
	return p
}

// join returns nil for a password that is remembered, else the verification of it, which the caller
// leads if there was none.
func (v *Verifier) join(p proof) (f *verification, leads bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if until, ok := v.proven[p]; ok {
		if time.Now().Before(until) {
			return nil, false
		}
		delete(v.proven, p)
	}
	if f = v.flights[p]; f != nil {
		return f, false
	}
	f = &verification{done: make(chan struct{})}
	v.flights[p] = f
	return f, true
}

// land ends a verification.
func (v *Verifier) land(p proof, f *verification) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.flights, p)
	if f.right && v.remember > 0 {
		if len(v.proven) >= maxProven {
			clear(v.proven)
		}
		v.proven[p] = time.Now().Add(v.remember)
	}
	close(f.done)
}

// derive verifies, when it is the turn.
func (v *Verifier) derive(ctx context.Context, password string, hashes []string) (bool, error) {
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if len(hashes) == 0 {
		_, err := v.verify(v.decoy(), password)
		return false, err
	}
	for _, hash := range hashes {
		if right, err := v.verify(hash, password); right || err != nil {
			return right, err
		}
	}
	return false, nil
}
