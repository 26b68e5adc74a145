package rcbridge

import (
	"time"

	"ferry/config"
	"ferry/ftp"
	"ferry/rc"
	"ferry/serve/defence"
)

var _ rc.Bans = bans{}

// bans are those of a Guard; who is banned and has not logged in leaves the server.
type bans struct {
	guard  *defence.Guard
	server *ftp.Server
}

func asBan(b defence.Ban) rc.Ban {
	return rc.Ban{Network: b.Network.String(), Until: b.Until, Times: b.Times, Reason: b.Reason, Node: b.Node}
}

func (b bans) Bans() []rc.Ban {
	var all []rc.Ban
	for _, one := range b.guard.Bans() {
		all = append(all, asBan(one))
	}
	return all
}

func (b bans) Ban(network, duration string) (rc.Ban, error) {
	n, err := config.ParseNetwork(network)
	if err != nil {
		return rc.Ban{}, err
	}
	var d time.Duration
	if duration != "" {
		if d, err = config.ParseDuration(duration); err != nil {
			return rc.Ban{}, err
		}
	}
	made, err := b.guard.Ban(n, d, "by the administrator")
	if err != nil {
		return rc.Ban{}, err
	}
	b.server.EndGuests(made.Network)
	return asBan(made), nil
}

func (b bans) Unban(network string) (bool, error) {
	n, err := config.ParseNetwork(network)
	if err != nil {
		return false, err
	}
	return b.guard.Unban(n), nil
}

func (b bans) UnbanAll() int { return b.guard.UnbanAll() }
