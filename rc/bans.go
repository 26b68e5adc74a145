package rc

import (
	"context"
	"net/http"
	"time"
)

// Bans are the addresses that a server keeps away. Its methods may be called concurrently.
type Bans interface {
	// Bans returns those that hold, the one that ends first first.
	Bans() []Ban
	// Ban keeps an address or a network away, for a time that is written as 15m or 2h; "" is as
	// long as its next ban would be.
	Ban(network, duration string) (Ban, error)
	// Unban lifts the ban of an address or a network. It reports whether there was one.
	Unban(network string) (bool, error)
	// UnbanAll lifts all, and returns how many there were.
	UnbanAll() int
}

// A Ban is an address, or a network, that is kept away.
type Ban struct {
	Network string
	Until   time.Time
	Times   int // bans in a row, this one among them
	Reason  string
	Node    string // that made it; "" = there is only one
}

// BanCalls are the calls about who is kept away. rclone has no such calls.
func BanCalls(b Bans) []Call {
	return []Call{
		{Path: "ftp/bans", Title: "List the addresses that are banned.", Reads: true,
			Run:  func(context.Context, Params) (Params, error) { return bans(b), nil },
			Help: "Returns:\n\n- bans - each with network, until, times (bans in a row), reason, and with --cluster the node that made it"},
		{Path: "ftp/ban", Title: "Ban an address or a network.",
			Run: func(_ context.Context, in Params) (Params, error) { return ban(b, in) },
			Help: "Its sessions that have not logged in end; those that have go on.\n\nParameters:\n\n- address - or a network, as 10.0.0.0/8\n" +
				"- for - how long, as 2h (optional, else as long as its next ban would be)"},
		{Path: "ftp/unban", Title: "Lift the ban of an address or a network.",
			Run:  func(_ context.Context, in Params) (Params, error) { return unban(b, in) },
			Help: "What led to it is forgotten too.\n\nParameters:\n\n- address - as in ftp/bans\n- all - true instead, for all of them"},
	}
}

func (b Ban) params() Params {
	p := Params{"network": b.Network, "until": b.Until, "times": b.Times, "reason": b.Reason}
	if b.Node != "" {
		p["node"] = b.Node
	}
	return p
}

func bans(b Bans) Params {
	all := []Params{}
	for _, one := range b.Bans() {
		all = append(all, one.params())
	}
	return Params{"bans": all}
}

func ban(b Bans, in Params) (Params, error) {
	network, err := in.String("address")
	if err != nil {
		return nil, err
	}
	duration := ""
	if in.Has("for") {
		if duration, err = in.String("for"); err != nil {
			return nil, err
		}
	}
	made, err := b.Ban(network, duration)
	if err != nil {
		return nil, badParam("%w", err)
	}
	return made.params(), nil
}

func unban(b Bans, in Params) (Params, error) {
	if in.Has("all") {
		all, err := in.Bool("all")
		if err != nil {
			return nil, err
		}
		if all {
			return Params{"lifted": b.UnbanAll()}, nil
		}
	}
	network, err := in.String("address")
	if err != nil {
		return nil, err
	}
	found, err := b.Unban(network)
	switch {
	case err != nil:
		return nil, badParam("%w", err)
	case !found:
		return nil, withStatus(http.StatusNotFound, "%s is not banned", network)
	}
	return Params{"lifted": 1}, nil
}
