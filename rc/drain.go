package rc

import (
	"context"
	"time"
)

// A Drainer takes the program out of service and puts it back. Its methods return at once.
type Drainer interface {
	// Drain begins to take it out of service. With handOver, what waits for the storage is handed
	// over to others at once, in place of being sent; an error if that cannot be. Once it has
	// begun, it only adds handOver.
	Drain(handOver bool) error
	// Undrain puts it back; an error while the program ends.
	Undrain() error
	// Drained returns how far that is.
	Drained() Drained
}

// Drained is how far a program is with leaving its service.
type Drained struct {
	State     string    // "serving", "announced", "sessions", "sending", "handover", "drained" or "stopping"
	Since     time.Time // of State; zero in the first
	Sessions  int
	Transfers int // that run
	Changes   int // that wait for the storage
	Bytes     int64
	Failing   int   // of them
	LastError error // of the failing ones; nil: none
	// Changed is closed when State may be another one.
	Changed <-chan struct{}
}

// drainedState is the State in which nothing is left to be done.
const drainedState = "drained"

// drainResults says what the calls about a drain return.
const drainResults = "Returns:\n\n" +
	"- state - serving; announced: /readyz says no, and sessions are still taken; sessions: those that are there end; " +
	"sending: what waits is sent to the storage; handover: it is handed over; drained; stopping\n" +
	"- since - when that began\n" +
	"- sessions, transfers, changes, bytes - what is left\n" +
	"- failing, error - of the changes, those that could not be sent so far, and why"

// drainCalls are the calls about leaving the service.
func drainCalls(d Drainer) []Call {
	return []Call{
		{Path: "core/drain", Title: "Take no new sessions, let those that are there end, and send what waits.",
			Run: func(ctx context.Context, in Params) (Params, error) { return drain(ctx, d, in) },
			Help: "Takes the server out of service: /readyz says no, new sessions are refused with 421, those that are there end after their " +
				"transfers, and what waits for the storage is sent. The program goes on; core/undrain puts it back.\n\n" +
				"Parameters:\n\n- handover - hand over what waits to other servers, as --handover says, in place of sending it (false)\n" +
				"- wait - return when it is drained, or after that time, as 5m; without it at once\n\n" + drainResults},
		{Path: "core/undrain", Title: "Take sessions again.",
			Run: func(context.Context, Params) (Params, error) {
				if err := d.Undrain(); err != nil {
					return nil, err
				}
				return drainedParams(d.Drained()), nil
			},
			Help: "Puts a server back into service that core/drain took out of it.\n\n" + drainResults},
		{Path: "core/drained", Title: "Show how far a drain is.", Reads: true,
			Run: func(context.Context, Params) (Params, error) { return drainedParams(d.Drained()), nil }, Help: drainResults},
	}
}

// drain begins to drain, and waits for the end for as long as it is asked to.
func drain(ctx context.Context, d Drainer, in Params) (Params, error) {
	handOver, err := optional(Params.Bool, in, "handover")
	if err != nil {
		return nil, err
	}
	wait, _, err := takeDuration(in, "wait", 0)
	if err != nil {
		return nil, badParam("wait: %w", err)
	}
	if err := d.Drain(handOver); err != nil {
		return nil, err
	}
	timer := time.NewTimer(max(wait, 0))
	defer timer.Stop()
	for {
		now := d.Drained()
		if now.State == drainedState {
			return drainedParams(now), nil
		}
		select {
		case <-now.Changed:
		case <-timer.C:
			return drainedParams(d.Drained()), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func drainedParams(now Drained) Params {
	out := Params{
		"state": now.State, "sessions": now.Sessions, "transfers": now.Transfers, "changes": now.Changes, "bytes": now.Bytes, "failing": now.Failing,
	}
	if !now.Since.IsZero() {
		out["since"] = now.Since.UTC().Format(time.RFC3339Nano)
	}
	if now.LastError != nil {
		out["error"] = now.LastError.Error()
	}
	return out
}
