package main

import (
	"context"
	"fmt"
	"net"

	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/systemd"
)

// A listener is where clients connect to.
type listener struct {
	net.Listener
	implicitTLS bool
}

// url is how a client names the listener.
func (l listener) url() string {
	scheme := "ftp://"
	if l.implicitTLS {
		scheme = "ftps://"
	}
	return scheme + l.Addr().String()
}

// socketsIf returns those of a name of the service manager, if they are wanted.
func (o *options) socketsIf(wanted bool, name string) []net.Listener {
	if !wanted {
		return nil
	}
	return o.sockets.Take(name)
}

// listen opens all listeners, or none. Those of the service manager come before addresses.
func (o *options) listen(ctx context.Context) (_ []listener, err error) {
	var all []listener
	defer func() {
		if err != nil {
			listen.CloseAll(all)
		}
	}()
	open := func(flag, socket string, addrs []string, implicitTLS bool) error {
		if given := o.sockets.Take(socket); len(given) > 0 {
			for _, l := range given {
				all = append(all, listener{l, implicitTLS})
			}
			return nil
		}
		for _, addr := range addrs {
			ls, err := listen.On(ctx, addr)
			if err != nil {
				return fmt.Errorf("--%s %q: %w", flag, addr, listen.Remedy(err))
			}
			for _, l := range ls {
				all = append(all, listener{l, implicitTLS})
			}
		}
		return nil
	}
	if err := open("addr", systemd.FTP, o.Addrs, false); err != nil {
		return nil, err
	}
	return all, open("implicit-tls-addr", systemd.FTPS, o.ImplicitAddrs, true)
}
