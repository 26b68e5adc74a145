package ftp

import (
	"context"
	"net/netip"
	"time"
)

// Tunable is what may change of a Server while it serves; each field is that of the Server.
type Tunable struct {
	RequireTLS bool

	Passive           PortRange
	PublicIP          func(ctx context.Context, client netip.Addr) (netip.Addr, error)
	NoActive          bool
	AllowFXP          bool
	AllowPeerMismatch bool
	AcceptAbruptClose bool

	MaxSessions        int
	MaxSessionsPerHost int
	MaxGuests          int
	MaxGuestsPerHost   int

	IdleTimeout  time.Duration
	LoginTimeout time.Duration
	DataConnect  time.Duration
	DataStall    time.Duration
	MinRate      int64

	ListLocation *time.Location
}

// Adjust lets change set what holds from now on, also for sessions that are there: limits count at
// the next connection and ports at the next data connection; a transfer that runs, and a wait for a
// command that has begun, keep their timeouts. No session ends for it. It may be called at any
// time; change is called once, while no other Adjust is.
func (s *Server) Adjust(change func(*Tunable)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.tuned()
	change(&next)
	s.live.Store(&next)
}

// Tuned returns what holds now.
func (s *Server) Tuned() Tunable { return *s.tuned() }

// tuned is Tuned without a copy: what it returns does not change.
func (s *Server) tuned() *Tunable {
	if t := s.live.Load(); t != nil {
		return t
	}
	return s.untuned()
}

// untuned is what the fields say. Within its callers it would take stack of every session.
//
//go:noinline
func (s *Server) untuned() *Tunable {
	return &Tunable{
		RequireTLS: s.RequireTLS,

		Passive: s.Passive, PublicIP: s.PublicIP, NoActive: s.NoActive, AllowFXP: s.AllowFXP,
		AllowPeerMismatch: s.AllowPeerMismatch, AcceptAbruptClose: s.AcceptAbruptClose,

		MaxSessions: s.MaxSessions, MaxSessionsPerHost: s.MaxSessionsPerHost,
		MaxGuests: s.MaxGuests, MaxGuestsPerHost: s.MaxGuestsPerHost,

		IdleTimeout: s.IdleTimeout, LoginTimeout: s.LoginTimeout,
		DataConnect: s.DataConnect, DataStall: s.DataStall, MinRate: s.MinRate,

		ListLocation: s.ListLocation,
	}
}
