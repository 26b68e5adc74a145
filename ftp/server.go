package ftp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"
)

// A Server answers FTP on any number of listeners. The fields are set before the first Serve and not changed after it;
// the zero value of each is usable and documented. Only Backend is required.
type Server struct {
	Backend  Backend
	Log      *slog.Logger // nil: nothing is logged
	Greeting string       // the text behind 220; "" = "Ready."

	// TLS enables AUTH TLS, and ServeTLS for implicit TLS. nil: AUTH is answered 502.
	TLS        *tls.Config
	RequireTLS bool      // refuse USER and data connections in clear (RFC 4217, section 12)
	DataResume TLSResume // what is asked of the TLS sessions of data connections

	Passive PortRange // ports of passive data connections; the zero value lets the system choose
	// PublicIP returns the address that PASV announces to client; the zero Addr or nil: the control connection's own.
	PublicIP          func(ctx context.Context, client netip.Addr) (netip.Addr, error)
	NoActive          bool // refuse PORT and EPRT
	AllowFXP          bool // PORT and EPRT may name another host than the client, and passive peers may be anyone
	AllowPeerMismatch bool // data connections may come from another address than the control connection
	AcceptAbruptClose bool // believe an upload whose control connection ends together with its data

	IdleTimeout  time.Duration // silence after which a session without a transfer ends; 0 = 5m
	LoginTimeout time.Duration // time to log in; 0 = 1m
	DataConnect  time.Duration // time for a data connection to come about; 0 = 30s
	DataStall    time.Duration // time without a byte after which a transfer ends; 0 = 2m

	ConvertASCII bool           // TYPE A converts line ends (RFC 959); otherwise it transfers bytes unchanged
	ListLocation *time.Location // time zone of LIST; nil = UTC. MDTM and MLSD are always UTC.
}

// TLSResume says whether data connections must resume the TLS session of their control connection.
type TLSResume uint8

const (
	ResumeOffer   TLSResume = iota // resumption is offered, nothing is required
	ResumeOff                      // every data connection makes a full handshake
	ResumeRequire                  // a data connection that does not resume its own control session is refused
)

// PortRange is inclusive on both ends. {0, 0} means any port.
type PortRange struct {
	First, Last uint16
}
