package ftp

import (
	"context"
	"net/netip"
	"testing"
	"unsafe"
)

// The memory of idle sessions is that of goroutines and of this. A block of the allocator has 768
// bytes, 8 of which it needs itself, and the next larger one 896.
func TestSessionIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(session{}); n > 760 {
		t.Errorf("a session has %d bytes", n)
	}
}

// askedContext notices that somebody asks for the channel of its end, which is made then, and kept
// as long as the context.
type askedContext struct {
	context.Context
	asked bool
}

func (c *askedContext) Done() <-chan struct{} {
	c.asked = true
	return c.Context.Done()
}

func TestLoginThatNeedNotWaitKeepsNothing(t *testing.T) {
	var h Throttle
	ctx := &askedContext{Context: t.Context()}
	end := h.Turn(ctx, netip.MustParseAddr("192.0.2.1"))
	if end == nil || ctx.asked {
		t.Errorf("it has a turn: %t; it asked for the end of the session: %t", end != nil, ctx.asked)
	}
	end()
	if n := len(h.turns); n != 0 {
		t.Errorf("%d addresses are left", n)
	}
}
