package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"
)

// AskOptions say how a program or a service is asked about logins. A time of zero is the default, a
// negative one is none.
type AskOptions struct {
	Timeout  time.Duration // of one question; 10 s
	Parallel int           // questions at a time; 0: twice as many as there are processors
	// Remember is how long a login with the same user, password and address is not asked about
	// again; 5 min. For a Program it starts anew with each login, for a URL it does not.
	Remember time.Duration
	// Refused is how long the same wrong login is refused without a question; 2 s.
	Refused time.Duration
	// Stale is for how long after Remember a login is still let in if nobody can be asked; none.
	Stale time.Duration
}

func (o AskOptions) withDefaults() AskOptions {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
		*d = max(*d, 0)
	}
	set(&o.Timeout, 10*time.Second)
	set(&o.Remember, 5*time.Minute)
	set(&o.Refused, 2*time.Second)
	set(&o.Stale, 0)
	if o.Parallel <= 0 {
		o.Parallel = 2 * runtime.GOMAXPROCS(0)
	}
	return o
}

// maxAnswers bounds the answers that are remembered, good and bad ones each.
const maxAnswers = 20_000

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

// An asker asks a source about logins, a few at a time, and remembers the answers.
type asker struct {
	// constant
	source  string // how errors name it
	options AskOptions
	sliding bool // a login makes the answer count longer
	key     prover
	slots   *slots
	// ask returns ErrDenied for a login that is refused; other errors mean that nobody could be
	// asked.
	ask func(ctx context.Context, l Login) (Identity, error)

	running flights[proof, Identity]

	mu      sync.Mutex
	known   map[proof]*answer   // guarded by mu
	refused map[proof]time.Time // guarded by mu: until when
	away    time.Time           // guarded by mu: until then the source counts as out of reach
	swept   time.Time           // guarded by mu
}

type answer struct {
	id    Identity
	since time.Time // it counts since then
}

func newAsker(source string, o AskOptions, sliding bool, ask func(context.Context, Login) (Identity, error)) *asker {
	o = o.withDefaults()
	return &asker{
		source: source, options: o, sliding: sliding, key: newProver(), slots: newSlots(o.Parallel), ask: ask,
		known: map[proof]*answer{}, refused: map[proof]time.Time{},
	}
}

// errNoText refuses what JSON cannot carry.
var errNoText = fmt.Errorf("%w: user or password is not UTF-8", ErrDenied)

func (a *asker) authenticate(ctx context.Context, l Login) (Identity, error) {
	if !utf8.ValidString(l.User) || !utf8.ValidString(l.Password) {
		return Identity{}, errNoText
	}
	p := a.key.prove(l.User, l.Password, l.IP.Unmap().String(), fmt.Sprint(l.TLS))
	if id, err, found := a.recall(p); found {
		recalled(ctx)
		return id, err
	}
	return a.running.do(ctx, p, func() (Identity, error) { return a.askNow(ctx, p, l) })
}

// recall returns what is known about a login, also a refusal.
func (a *asker) recall(p proof) (Identity, error, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if until, found := a.refused[p]; found && now.Before(until) {
		return Identity{}, ErrDenied, true
	}
	k := a.known[p]
	if k == nil {
		return Identity{}, nil, false
	}
	switch age := now.Sub(k.since); {
	case age < a.options.Remember:
		if a.sliding {
			k.since = now
		}
		return k.id, nil, true
	case age < a.options.Remember+a.options.Stale && now.Before(a.away):
		return k.id, nil, true
	}
	return Identity{}, nil, false
}

// askNow asks when it is its turn, and remembers the answer.
func (a *asker) askNow(ctx context.Context, p proof, l Login) (Identity, error) {
	giveBack, err := a.slots.take(ctx, 1)
	if err != nil {
		return Identity{}, err
	}
	defer giveBack()
	limited := ctx
	if a.options.Timeout > 0 {
		slow := fmt.Errorf("no answer in %v", a.options.Timeout)
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, a.options.Timeout, slow)
		defer cancel()
	}
	id, err := a.ask(limited, l)
	switch {
	case err == nil:
		a.keep(p, id)
		return id, nil
	case errors.Is(err, ErrDenied):
		a.refuse(p)
		return Identity{}, err
	case ctx.Err() != nil: // the client has gone, and nobody knows what the answer would have been
		return Identity{}, context.Cause(ctx)
	case limited.Err() != nil:
		err = context.Cause(limited)
	}
	if id, found := a.stale(p); found {
		return id, nil
	}
	return Identity{}, fmt.Errorf("%s: %w", a.source, err)
}

// keep remembers a login that is let in.
func (a *asker) keep(p proof, id Identity) {
	if a.options.Remember+a.options.Stale == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.sweep(now)
	a.away = time.Time{}
	makeRoom(a.known)
	a.known[p] = &answer{id, now}
}

// refuse forgets that a login was let in.
func (a *asker) refuse(p proof) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.sweep(now)
	a.away = time.Time{}
	delete(a.known, p)
	if a.options.Refused > 0 {
		makeRoom(a.refused)
		a.refused[p] = now.Add(a.options.Refused)
	}
}

// stale returns what was known about a login while nobody can be asked. For a moment others that
// were known do not ask at all, as each question may take its whole time.
func (a *asker) stale(p proof) (Identity, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.away = now.Add(a.options.Refused)
	k := a.known[p]
	if k == nil || now.Sub(k.since) >= a.options.Remember+a.options.Stale {
		return Identity{}, false
	}
	return k.id, true
}

// sweep forgets answers that do not count any more, now and then. LOCKS_REQUIRED(a.mu).
func (a *asker) sweep(now time.Time) {
	if now.Sub(a.swept) < time.Minute {
		return
	}
	a.swept = now
	for p, k := range a.known {
		if now.Sub(k.since) >= a.options.Remember+a.options.Stale {
			delete(a.known, p)
		}
	}
	for p, until := range a.refused {
		if !now.Before(until) {
			delete(a.refused, p)
		}
	}
}

// makeRoom forgets one of too many answers.
func makeRoom[V any](answers map[proof]V) {
	if len(answers) < maxAnswers {
		return
	}
	for p := range answers { // any
		delete(answers, p)
		return
	}
}
