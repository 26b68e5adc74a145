package ftp

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
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
	keys   *tls.Config // holds the keys of the tickets, which crypto/tls renews every day; used for nothing else
	plain  *tls.Config // for all when nothing resumes
}

// errNotResumed is what the handshake of a data connection fails with that should have resumed its control session.
var errNotResumed = errors.New("the data connection did not resume the TLS session of its control connection")

// newTLSContext builds on base, which is not changed later.
func newTLSContext(base *tls.Config, resume TLSResume) *tlsContext {
	c := &tlsContext{base: base, resume: resume, keys: &tls.Config{Rand: base.Rand, Time: base.Time}}
	if resume == ResumeOff || resume == ResumeOffer && base.SessionTicketsDisabled {
		c.plain = c.derive(func(cfg *tls.Config) { cfg.SessionTicketsDisabled = true })
	}
	return c
}

// control is the configuration for the control connection of session id.
func (c *tlsContext) control(id uint64) *tls.Config {
	if c.plain != nil {
		return c.plain
	}
	return c.derive(func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = c.wrap(id)
		cfg.UnwrapSession = refuseTicket
	})
}

// data is the configuration for a data connection of session id.
func (c *tlsContext) data(id uint64) *tls.Config {
	if c.plain != nil {
		return c.plain
	}
	return c.derive(func(cfg *tls.Config) {
		cfg.SessionTicketsDisabled = false
		cfg.WrapSession = c.wrap(id)
		cfg.UnwrapSession = c.unwrap(id)
		if c.resume == ResumeRequire {
			cfg.VerifyConnection = requireResumed(cfg.VerifyConnection)
		}
	})
}

// derive is the base with what all connections have in common and the change on top, also in configurations that the
// base chooses by client.
func (c *tlsContext) derive(change func(*tls.Config)) *tls.Config {
	own := func(cfg *tls.Config) *tls.Config {
		cfg = cfg.Clone()
		cfg.DynamicRecordSizingDisabled = true // files want full records from the first one on
		change(cfg)
		return cfg
	}
	cfg := own(c.base)
	if choose := c.base.GetConfigForClient; choose != nil {
		cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return nil, err
			}
			return own(chosen), nil
		}
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
