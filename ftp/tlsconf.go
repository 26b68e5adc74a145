package ftp

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// tlsContext makes the TLS configurations of a server's sessions. A session ticket carries the number of the control
// session under which it was issued, on the control connection or on one of its data connections, and only data
// connections of that session resume with it. So a resumed data connection comes from whoever logged in, which an
// address alone does not show (RFC 4217, section 10.1, leaves the means open). The server keeps nothing per ticket: a
// client may use one for many data connections or the new one that each brings.
//
// Control connections never resume: a client that came with the ticket of a session that is over might present it on
// its data connections too, and would be taken for somebody else there.
type tlsContext struct {
	base   *tls.Config
	resume TLSResume
	keys   *tls.Config    // holds the keys of the tickets, which crypto/tls renews every day; used for nothing else
	plain  [2]*tls.Config // for all control and all data connections when nothing resumes
}

// The protocols of ALPN. Clients name the one of the control connection on data connections, too.
const (
	controlProtocols = "ftp"
	dataProtocols    = "ftp-data ftp"
)

// errNotResumed is what the handshake of a data connection fails with that should have resumed its control session.
var errNotResumed = errors.New("the data connection did not resume the TLS session of its control connection")

// newTLSContext builds on base, which is not changed later.
func newTLSContext(base *tls.Config, resume TLSResume) *tlsContext {
	c := &tlsContext{base: base, resume: resume, keys: &tls.Config{Rand: base.Rand, Time: base.Time}}
	if resume == ResumeOff || resume == ResumeOffer && base.SessionTicketsDisabled {
		noTickets := func(cfg *tls.Config) { cfg.SessionTicketsDisabled = true }
		c.plain = [2]*tls.Config{c.derive(controlProtocols, noTickets, nil), c.derive(dataProtocols, noTickets, nil)}
	}
	return c
}

// control is the configuration for the control connection of session id.
func (c *tlsContext) control(id uint64) *tls.Config {
	if c.plain[0] != nil {
		return c.plain[0]
	}
	return c.derive(controlProtocols, func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = c.wrap(id)
		cfg.UnwrapSession = refuseTicket
	}, nil)
}

// data is the configuration for one data connection of session id, whose content goes that way.
//
// Nothing comes behind the handshake of an upload. Many clients never read from it, and what lies unread in a socket turns
// its close into a reset, which destroys what is still on the way. So there are no tickets of TLS 1.3; the one of the
// control connection serves again.
func (c *tlsContext) data(id uint64, to direction) *tls.Config {
	if c.plain[1] != nil {
		return c.plain[1]
	}
	change := func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = c.wrap(id)
		cfg.UnwrapSession = c.unwrap(id)
		if c.resume == ResumeRequire {
			cfg.VerifyConnection = requireResumed(cfg.VerifyConnection)
		}
	}
	if to == fromClient {
		return c.derive(dataProtocols, change, withoutNewTickets)
	}
	return c.derive(dataProtocols, change, nil)
}

// withoutNewTickets makes cfg, which is of one connection, send no ticket under TLS 1.3 and still resume with one. In
// crypto/tls one switch is for both: it is turned at once where the client has no ticket, else when that is looked at.
func withoutNewTickets(cfg *tls.Config, hello *tls.ClientHelloInfo) {
	if !slices.Contains(hello.SupportedVersions, tls.VersionTLS13) || cfg.MaxVersion != 0 && cfg.MaxVersion < tls.VersionTLS13 {
		return
	}
	if !slices.Contains(hello.Extensions, extensionPreSharedKey) {
		cfg.SessionTicketsDisabled = true
		return
	}
	unwrap := cfg.UnwrapSession
	cfg.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		cfg.SessionTicketsDisabled = true
		return unwrap(ticket, cs)
	}
}

// extensionPreSharedKey is what a client offers tickets of TLS 1.3 with (RFC 8446, section 4.2.11).
const extensionPreSharedKey = 41

// derive is the base with what all connections have in common and the change on top, also in configurations that the
// base chooses by client. A client that offers protocols (ALPN) and none of ours is refused, as it is of another kind and was
// led here by somebody; a base with protocols of its own keeps them. greet, if it is not nil, sees the configuration that is used with the client's hello.
func (c *tlsContext) derive(protocols string, change func(*tls.Config), greet func(*tls.Config, *tls.ClientHelloInfo)) *tls.Config {
	own := func(cfg *tls.Config) *tls.Config {
		cfg = cfg.Clone()
		cfg.DynamicRecordSizingDisabled = true // files want full records from the first one on
		if len(cfg.NextProtos) == 0 {
			cfg.NextProtos = strings.Fields(protocols)
		}
		change(cfg)
		return cfg
	}
	cfg := own(c.base)
	choose := c.base.GetConfigForClient
	if choose == nil && greet == nil {
		return cfg
	}
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		var chosen *tls.Config
		if choose != nil {
			other, err := choose(hello)
			if err != nil {
				return nil, err
			}
			if other != nil {
				chosen = own(other)
			}
		}
		switch {
		case greet == nil:
		case chosen != nil:
			greet(chosen, hello)
		default:
			greet(cfg, hello)
		}
		return chosen, nil
	}
	return cfg
}

// ticketMark begins what is added to a session's state.
const ticketMark = "ftp control session "

func ticketExtra(id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(ticketMark), id)
}

// wrap makes tickets that name session id.
func (c *tlsContext) wrap(id uint64) func(tls.ConnectionState, *tls.SessionState) ([]byte, error) {
	return func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, ticketExtra(id))
		return c.keys.EncryptTicket(cs, ss)
	}
}

// unwrap accepts tickets that name session id. Others count as unknown, so that a full handshake follows.
func (c *tlsContext) unwrap(id uint64) func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
	return func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := c.keys.DecryptTicket(ticket, cs)
		if ss == nil || err != nil {
			return nil, err
		}
		want := string(ticketExtra(id))
		for _, extra := range ss.Extra {
			if string(extra) == want {
				return ss, nil
			}
		}
		return nil, nil
	}
}

func refuseTicket([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }

// requireResumed ends handshakes that do not resume a session; then comes what else is to be verified.
func requireResumed(further func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		if !cs.DidResume {
			return errNotResumed
		}
		if further != nil {
			return further(cs)
		}
		return nil
	}
}
