package doctorcmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"ferry/cmd/ferry/internal/listen"
	"ferry/config"
)

const areaMachine = "machine"

// fewSessions are so few sessions that devices that open several each are sent away.
const fewSessions = 50

// Descriptors notes how many sessions the descriptors of the process are enough for. limit is how
// many there are, 0 for any number; wanted is --max-sessions, 0 where that follows.
func Descriptors(r *Report, limit uint64, sessions, wanted uint32) {
	const remedy = "raise the limit: ulimit -n 65536 before the start, LimitNOFILE=65536 in the unit"
	switch {
	case limit == 0:
		r.OK(areaMachine, "descriptors", "no limit")
	case wanted > sessions:
		r.Warn(areaMachine, "descriptors", remedy, "%d are enough for %d sessions, and --max-sessions is %d", limit, sessions, wanted)
	case sessions < fewSessions:
		r.Warn(areaMachine, "descriptors", remedy, "%d are enough for %d sessions only", limit, sessions)
	default:
		r.OK(areaMachine, "descriptors", "%d, enough for %d sessions", limit, sessions)
	}
}

const areaPorts = "ports"

// Listen tries whether an address can be listened on.
func Listen(ctx context.Context, r *Report, flag, addr string) {
	ls, err := listen.On(ctx, addr)
	listen.CloseAll(ls)
	switch {
	case err == nil:
		r.OK(areaPorts, flag+" "+addr, "free")
	case errors.Is(err, syscall.EADDRINUSE):
		r.Warn(areaPorts, flag+" "+addr, "if it is a ferry that serves already, all is well; else stop what uses it (ss -ltnp), or choose another", "in use")
	default:
		cause := err
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			cause = op.Err
		}
		r.Fail(areaPorts, flag+" "+addr, remedyOf(err), "%v", cause)
	}
}

// remedyOf is what listen says that helps.
func remedyOf(err error) string {
	text := listen.Remedy(err).Error()
	if text == err.Error() {
		return "correct the address"
	}
	return text[len(err.Error())+len(": "):]
}

// fewPorts are so few passive ports that clients of a house wait for each other.
const fewPorts = 10

// Passive tries how many ports of the passive range are free.
func Passive(ctx context.Context, r *Report, ports config.Ports) {
	const what = "--passive-port"
	if ports.First == 0 {
		r.Warn(areaPorts, what, "behind a firewall give a range, and let it in: --passive-port 30000-32000", "any port that the system chooses")
		return
	}
	free, all := 0, int(ports.Last)-int(ports.First)+1
	var config net.ListenConfig
	var denied error
	for port := int(ports.First); port <= int(ports.Last); port++ {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort("", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			free++
		} else if !errors.Is(err, syscall.EADDRINUSE) {
			denied = err
		}
	}
	text := fmt.Sprintf("%d of %d ports are free", free, all)
	switch {
	case free == 0 && denied != nil:
		r.Fail(areaPorts, what, remedyOf(denied), "no port can be listened on")
	case free == 0:
		r.Fail(areaPorts, what, "choose another range", "%s", text)
	case free < all/2 || free < fewPorts:
		r.Warn(areaPorts, what, "give more ports: each running transfer of an address needs one", "%s", text)
	default:
		r.OK(areaPorts, what, "%s", text)
	}
}
