package main

import (
	"context"
	"fmt"
	"net"

	"ferry/cmd/ferry/internal/listen"
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

// listen opens all listeners, or none.
func (o *options) listen(ctx context.Context) (_ []listener, err error) {
	var all []listener
	defer func() {
		if err != nil {
			listen.CloseAll(all)
		}
	}()
	open := func(flag string, addrs []string, implicitTLS bool) error {
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
	if err := open("addr", o.Addrs, false); err != nil {
		return nil, err
	}
	return all, open("implicit-tls-addr", o.ImplicitAddrs, true)
}
