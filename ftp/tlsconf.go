package ftp

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"strings"
)

// tlsContext makes the TLS configurations of a server's sessions. A session ticket carries the
// number of the control session under which it was issued, on the control connection or on one of
// its data connections, and only data connections of that session resume with it. So a resumed data
// connection comes from the client that logged in, which an address alone does not prove (RFC 4217,
// section 10.1, leaves the means open). The server keeps nothing per ticket: a client may use one
// for many data connections or the new one that each brings.
//
// Control connections never resume: a client with the ticket of a former session might present it
// on its data connections too, and would be mistaken for that session.
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

// errNotResumed is the error of the handshake of a data connection that had to resume its control
// session and did not.
var errNotResumed = errors.New("the data connection did not resume the TLS session of its control connection")

// newTLSContext derives the configurations from base.
func newTLSContext(base *tls.Config, resume TLSResume) *tlsContext {
	base = base.Clone()
	base.GetCertificate = choosing(base.GetCertificate)
	c := &tlsContext{base: base, resume: resume, keys: &tls.Config{Rand: base.Rand, Time: base.Time}}
	if resume == ResumeOff || resume == ResumeOffer && base.SessionTicketsDisabled {
		noTickets := func(cfg *tls.Config) { cfg.SessionTicketsDisabled = true }
		c.plain = [2]*tls.Config{c.derive(controlProtocols, noTickets), c.derive(dataProtocols, noTickets)}
	}
	return c
}

// control returns the configuration for the control connection of session id.
func (c *tlsContext) control(id uint64) *tls.Config {
	if c.plain[0] != nil {
		return c.plain[0]
	}
	return c.derive(controlProtocols, func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = c.wrap(id)
		cfg.UnwrapSession = refuseTicket
	})
}

// data returns the configuration for one data connection of session id. Under TLS 1.3 hold, if it
// is not nil, is called with the number of records before a ticket is written.
func (c *tlsContext) data(id uint64, hold func(records int)) *tls.Config {
	if c.plain[1] != nil {
		return c.plain[1]
	}
	return c.derive(dataProtocols, func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = holding(c.wrap(id), hold)
		cfg.UnwrapSession = c.unwrap(id)
		if c.resume == ResumeRequire {
			cfg.VerifyConnection = requireResumed(cfg.VerifyConnection)
		}
	})
}

// derive returns base with the settings common to all connections and with change applied,
// including configurations that base chooses by client. A client that offers protocols (ALPN)
// without ours is refused: it speaks another protocol and may have been redirected here (ALPACA). A
// base with protocols of its own keeps them.
func (c *tlsContext) derive(protocols string, change func(*tls.Config)) *tls.Config {
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
	if choose == nil {
		return cfg
	}
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		chosen, err := choose(hello)
		if chosen == nil || err != nil {
			return nil, err
		}
		cfg := own(chosen)
		cfg.GetCertificate = choosing(cfg.GetCertificate)
		return cfg, nil
	}
	return cfg
}

// ticketMark is the prefix of what is added to a session's state.
const ticketMark = "ftp control session "

func ticketExtra(id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(ticketMark), id)
}

// wrap makes tickets that contain session id.
func (c *tlsContext) wrap(id uint64) wrapper {
	return func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, ticketExtra(id))
		return c.keys.EncryptTicket(cs, ss)
	}
}

// wrapper makes tickets for crypto/tls.
type wrapper = func(tls.ConnectionState, *tls.SessionState) ([]byte, error)

// holding is wrap that also calls hold for each ticket of TLS 1.3. Older versions send theirs
// within the handshake.
func holding(wrap wrapper, hold func(records int)) wrapper {
	if hold == nil {
		return wrap
	}
	return func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ticket, err := wrap(cs, ss)
		if err == nil && cs.Version >= tls.VersionTLS13 {
			hold(1 + (ticketFields+len(ticket)-1)/maxRecord)
		}
		return ticket, err
	}
}

const (
	maxRecord    = 16 << 10 // the most that a TLS record holds (RFC 8446, section 5.1)
	ticketFields = 17       // what surrounds a ticket in its message (RFC 8446, section 4.6.1; the nonce is empty)
)

// unwrap accepts tickets that contain session id. Others are treated as unknown, so that a full
// handshake follows.
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

// requireResumed fails handshakes that do not resume a session, and then runs the other
// verification.
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
