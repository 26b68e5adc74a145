package main

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"

	"ferry/cmd/ferry/internal/logging"
	"ferry/config"
)

// limits are what the system lets this process have; 0 is unknown or as much as there is.
type limits struct {
	descriptors uint64 // files, connections and the like; Go has raised the soft limit to the hard one
	memory      uint64 // bytes
}

const (
	// sessionDescriptors is how many a session uses that moves a file: both its connections, the
	// file, and what the remote or the cache needs besides.
	sessionDescriptors = 4
	// ownDescriptors are those that ferry uses without any session.
	ownDescriptors = 32
	// sessionMemory is what a session uses that moves a file over TLS, the buffers of the system
	// included.
	sessionMemory = 512 << 10
	// minSessions are let in whatever the limits say.
	minSessions = 4
	// rcShare is the part of the descriptors that connections to the remote control may use.
	rcShare = 16
)

// processLimits asks the system.
func processLimits() limits {
	l := limits{descriptors: descriptorLimit(), memory: memoryLimit()}
	if own := debug.SetMemoryLimit(-1); own != math.MaxInt64 { // GOMEMLIMIT
		l.memory = least(l.memory, uint64(own))
	}
	return l
}

// sessions is how many sessions there can be at once so that none of them lacks a descriptor, and
// that they use no more than half of the memory; 0 is no limit.
func (l limits) sessions() uint32 {
	var n uint64
	if l.descriptors > 0 {
		left := l.descriptors - min(ownDescriptors+uint64(l.rcConnections()), l.descriptors)
		n = max(left/sessionDescriptors, minSessions)
	}
	if l.memory > 0 {
		n = least(n, max(l.memory/2/sessionMemory, minSessions))
	}
	return uint32(min(n, math.MaxInt32))
}

// rcConnections is how many connections to the remote control there may be at once.
func (l limits) rcConnections() int {
	const fewest, most = 4, 256
	if l.descriptors == 0 {
		return most
	}
	return int(min(max(l.descriptors/rcShare, fewest), most))
}

// applyLimits gives --max-sessions its default and logs it.
func (o *options) applyLimits(ctx context.Context, log *slog.Logger, l limits) {
	attrs := []slog.Attr{slog.Uint64("descriptors", l.descriptors)}
	if l.memory > 0 {
		attrs = append(attrs, slog.String("memory", config.Size(min(l.memory, math.MaxInt64)).String()))
	}
	n := l.sessions()
	switch {
	case !o.Given("max-sessions"):
		o.MaxSessions = n
		if n > 0 {
			log.LogAttrs(ctx, logging.Notice, "--max-sessions follows from what this process may use",
				append([]slog.Attr{slog.Uint64("sessions", uint64(n))}, attrs...)...)
		}
	case l.descriptors > 0 && uint64(o.MaxSessions)+ownDescriptors > l.descriptors:
		log.LogAttrs(ctx, slog.LevelWarn, "--max-sessions is more than the descriptors of this process allow: "+
			"raise its limit (ulimit -n, LimitNOFILE=)", attrs...)
	}
}
