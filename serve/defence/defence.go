// Package defence keeps away who tries passwords or speaks something else than FTP: it is the Guard
// of an FTP server.
//
// The files, in reading order:
//
//	defence.go       Guard: who is admitted, and what it is told
//	store.go         the file that keeps points and bans
//	share.go         Share: what nodes of a cluster tell each other; points.go: of points; verdicts.go: of bans
//	bans.go          the list of bans, and making and lifting them by hand
//	guesskey.go      what nodes make hashes of guesses by
//	outbox.go        what the other nodes are to be told
//	merge.go         what other nodes have decided becomes a part of the table
//	scores.go        the table of addresses, their points and bans
//	balancer.go      finds a load balancer that hides its clients
//	authlog.go       a log of logins that other programs read
//	networks.go      networks and addresses
package defence

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"ferry/events"
	"ferry/ftp"
)

// Options say what a Guard does.
type Options struct {
	Allow   []netip.Prefix // networks of clients; empty: all
	Deny    []netip.Prefix // networks that are not admitted, before Allow
	Trusted []netip.Prefix // networks that are never banned, as loopback never is
	Proxied bool           // load balancers tell who their clients are
	Off     bool           // nobody is banned for what it does
	File    string         // keeps points and bans; "" = they are forgotten at the end
	AuthLog *AuthLog       // nil = none
	Log     *slog.Logger   // nil = none
	Events  *events.Stream // where bans are recorded; nil = nowhere
}

// Networks are what a Guard knows of addresses beforehand, as in Options.
type Networks struct{ Allow, Deny, Trusted []netip.Prefix }

// A Guard knows the networks that are admitted, counts the points of addresses and bans them.
type Guard struct {
	o      Options
	known  atomic.Pointer[Networks]
	scores scores
	crowds crowds
	shared *sharing // nil = this node is alone
}

var _ ftp.Guard = (*Guard)(nil)

// New returns a Guard, and reads its file if there is one.
func New(o Options) (*Guard, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Guard{o: o}
	g.SetNetworks(Networks{o.Allow, o.Deny, o.Trusted})
	g.scores.reset()
	if err := g.load(); err != nil {
		return nil, err
	}
	return g, nil
}

var (
	errDenied     = errors.New("its network is denied")
	errNotAllowed = errors.New("its network is not allowed")
)

// Admit implements ftp.Guard. Networks count for every address; bans do not for trusted ones. What
// has no address, as in a test, is admitted.
func (g *Guard) Admit(addr netip.Addr) error {
	if !addr.IsValid() {
		return nil
	}
	addr = addr.Unmap().WithZone("")
	now := g.known.Load()
	switch {
	case contain(now.Deny, addr):
		return errDenied
	case len(now.Allow) > 0 && !contain(now.Allow, addr):
		return errNotAllowed
	case g.isTrusted(addr):
		return nil
	}
	if until, banned := g.scores.bannedUntil(addr, time.Now()); banned {
		return fmt.Errorf("it is banned until %s", until.Format(time.RFC3339))
	}
	return nil
}

// SetNetworks has other networks count from the next connection on. Sessions that have begun are
// not touched.
func (g *Guard) SetNetworks(n Networks) { g.known.Store(&n) }

// points are what the events of a client cost. A client that is told to wait, or is let in, pays
// nothing.
var points = map[ftp.GuardKind]int{
	ftp.UnknownUser:     3,
	ftp.WrongPassword:   1,
	ftp.LoginRefused:    1,
	ftp.NoLogin:         1,
	ftp.Noise:           5,
	ftp.TooManySessions: 2,
}

// Note implements ftp.Guard.
func (g *Guard) Note(addr netip.Addr, e ftp.GuardEvent, user string) {
	addr = addr.Unmap().WithZone("")
	g.o.AuthLog.note(addr, e, user)
	if e.Kind == ftp.LoggedIn {
		g.look(addr, user)
	}
	if g.o.Off || !addr.IsValid() || g.isTrusted(addr) {
		return
	}
	host := Host(addr)
	if e.Kind == ftp.LoggedIn {
		if g.scores.forgive(host) {
			g.shared.forgiven(host)
		}
		return
	}
	m := mark{at: time.Now(), points: points[e.Kind]}
	if m.points == 0 {
		return
	}
	m.guess = g.scores.guess(e, user)
	b, banned := g.scores.add(host, m, e.Reason, m.at)
	g.shared.marked(host, m, e.Reason)
	if banned {
		g.shared.decided(host, 0)
		g.recordBan(b)
		g.o.Log.Warn("address banned", "address", host.String(), "until", b.Until.Format(time.RFC3339),
			"times", b.Times, "reason", b.Reason)
	}
}

// look warns once of an address that hides many clients.
func (g *Guard) look(addr netip.Addr, user string) {
	if g.o.Proxied || g.isTrusted(addr) || !g.crowds.grew(addr, user) {
		return
	}
	g.o.Log.Warn("several users log in from one private address; limits, bans and the log take them for one client. "+
		"If it is a load balancer, have it send PROXY headers and give --proxy-protocol; else give --trusted with the address",
		"address", addr.String())
}
