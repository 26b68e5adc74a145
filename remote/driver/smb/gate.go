package smb

import (
	"context"
	"sync"
	"time"
)

// aloneTime is how long a change waits for others to step aside.
const aloneTime = 5 * time.Second

// A gate is passed by every call that has a file open on the server for a moment, and shut while a
// change is made that the server refuses if somebody has the file open.
type gate struct {
	alone chan struct{} // holds a token while the gate is shut

	mu   sync.Mutex
	in   int           // calls that have passed and not left; guarded by mu
	shut chan struct{} // closed when the gate opens again; nil while it is open; guarded by mu
	last chan struct{} // closed when in becomes 0 while the gate is shut; guarded by mu
}

func newGate() *gate { return &gate{alone: make(chan struct{}, 1)} }

// pass waits until the gate is open. The caller leaves after its call.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut != nil {
		shut := g.shut
		g.mu.Unlock()
		<-shut
		g.mu.Lock()
	}
	g.in++
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.in--
	if g.in == 0 && g.last != nil {
		close(g.last)
		g.last = nil
	}
}

// shutFor calls use while nobody else is inside. If others do not leave for some time, it is not
// called, and the error is errInUse.
func (g *gate) shutFor(ctx context.Context, use func() error) error {
	select {
	case g.alone <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-g.alone }()
	empty := make(chan struct{})
	g.mu.Lock()
	g.shut = make(chan struct{})
	if g.in == 0 {
		close(empty)
	} else {
		g.last = empty
	}
	g.mu.Unlock()
	defer g.open()
	t := time.NewTimer(aloneTime)
	defer t.Stop()
	select {
	case <-empty:
	case <-t.C:
		return errInUse
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return use()
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut, g.last = nil, nil
}
