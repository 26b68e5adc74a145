// Package listen opens what clients connect to, and says what to do where that fails.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// CloseAll closes listeners.
func CloseAll[L net.Listener](ls []L) {
	for _, l := range ls {
		l.Close()
	}
}

// On opens the listeners for one address: one, except that localhost is every loopback address
// there is. An IPv4 address is that family's: 0.0.0.0 is every address of IPv4.
func On(ctx context.Context, addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(host, "localhost") {
		return listenLoopback(ctx, port)
	}
	network := "tcp"
	if a, err := netip.ParseAddr(host); err == nil && a.Is4() {
		network = "tcp4" // else 0.0.0.0 is every address of IPv6 too
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// portTries is how often a port that the system chose on one loopback address may be taken on the
// other.
const portTries = 20

// listenLoopback listens on one port of all loopback addresses.
func listenLoopback(ctx context.Context, port string) ([]net.Listener, error) {
	hosts := LoopbackHosts()
	for try := 1; ; try++ {
		ls, err := listenSamePort(ctx, hosts, port)
		if err == nil || port != "0" || try == portTries || !errors.Is(err, syscall.EADDRINUSE) {
			return ls, err
		}
	}
}

// listenSamePort listens on port of every host; where port is "0", on the one that the system chose
// for the first host.
func listenSamePort(ctx context.Context, hosts []string, port string) ([]net.Listener, error) {
	var (
		config net.ListenConfig
		ls     []net.Listener
	)
	for _, host := range hosts {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			CloseAll(ls)
			return nil, err
		}
		ls = append(ls, l)
		_, port, _ = net.SplitHostPort(l.Addr().String())
	}
	return ls, nil
}

// LoopbackHosts returns those of the two loopback addresses that this machine has.
func LoopbackHosts() []string {
	hosts := []string{"127.0.0.1", "::1"}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return hosts[:1]
	}
	have := slices.DeleteFunc(hosts, func(host string) bool {
		return !slices.ContainsFunc(addrs, func(a net.Addr) bool {
			n, ok := a.(*net.IPNet)
			return ok && n.IP.Equal(net.ParseIP(host))
		})
	})
	if len(have) == 0 {
		return []string{"127.0.0.1"} // and let the system say why not
	}
	return have
}

// Remedy adds to an error what helps against it, where that is known.
func Remedy(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: stop what uses the port, or choose another; port 0 lets the system choose", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 need a privilege: give it to the program (sudo setcap "+
			"cap_net_bind_service=+ep FERRY) or to its unit (AmbientCapabilities=CAP_NET_BIND_SERVICE), or listen on :2121 "+
			"and send port 21 there (sudo nft add table ip nat; sudo nft add chain ip nat prerouting "+
			"'{ type nat hook prerouting priority dstnat; }'; sudo nft add rule ip nat prerouting tcp dport 21 redirect to :2121)", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine does not have that address", err)
	}
	return err
}

// IsLoopback reports whether only this machine can reach l.
func IsLoopback(l net.Listener) bool {
	a, err := netip.ParseAddrPort(l.Addr().String())
	return err == nil && a.Addr().IsLoopback()
}
