package faulty

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"
)

// Odds let changes go wrong as a seed says, in the ways that leave them in doubt. Each share is
// between 0 and 1; the rest goes well. What becomes of a call depends on the seed, the operation,
// the name and how many such calls there were before, and not on what other goroutines do
// meanwhile.
type Odds struct {
	Seed    uint64
	Unsent  float64 // fail before anything was sent: not in doubt
	Lost    float64 // are never carried out
	Late    float64 // are carried out, and only the answer is lost
	Delayed float64 // are carried out later, up to Until, seldom as late as that
	Held    float64 // are carried out, and answered after up to Wait

	Until time.Duration // 0 = when Deliver is called
	Wait  time.Duration // for the answer, at most
}

// Roll lets every change that meets no Fault go wrong as o says, until Heal.
func (r *Remote) Roll(o Odds) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.odds = &o
	clear(r.drawn)
}

// A draw is what odds count calls by.
type draw struct {
	op   Op
	name string
}

// roll returns the fault that the odds have for a call, nil when there is none.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) roll(op Op, name string) *Fault {
	if r.odds == nil || !changes(op) {
		return nil
	}
	o, d := r.odds, draw{op, name}
	r.drawn[d]++
	h := fnv.New64a()
	_, _ = io.WriteString(h, string(op)+"\x00"+name)
	rng := rand.New(rand.NewPCG(o.Seed, h.Sum64()+uint64(r.drawn[d])*0x9e3779b97f4a7c15))
	share, wait, until := rng.Float64(), rng.Float64(), rng.Float64()
	f := &Fault{Op: op, Name: name, Err: ErrInjected, Delay: time.Duration(wait * float64(o.Wait))}
	for _, way := range []struct {
		share float64
		set   func()
	}{
		{o.Unsent, func() { f.Delay = 0 }},
		{o.Lost, func() { f.Lost = true }},
		{o.Late, func() { f.Late = true }},
		{o.Held, func() { f.Held = true }},
		{o.Delayed, func() {
			f.Delayed = true
			if o.Until > 0 {
				f.Until = 1 + time.Duration(until*until*float64(o.Until-1))
			}
		}},
	} {
		if share < way.share {
			way.set()
			return f
		}
		share -= way.share
	}
	return nil
}
