package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A server is a program that runs here.
type server struct {
	name string
	program
}

// An instance is a running server.
type instance struct {
	server
	addr netip.AddrPort
	tree *tree
	log  string // file with what it printed
	tls  *tls.Config
}

// start runs a server on a port of its own, otherwise as l says, and waits until it greets.
func (b *bench) start(ctx context.Context, s server, l launch) (*instance, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	l.port = port
	cmd, err := s.command(b, l)
	if err != nil {
		return nil, err
	}
	in := &instance{
		server: s,
		addr:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port),
		log:    filepath.Join(b.state, s.name+".log"),
	}
	if l.secure {
		in.tls = b.tls
	}
	out, err := os.Create(in.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = b.state
	if in.tree, err = startTree(cmd, s.name); err != nil {
		return nil, err
	}
	if err := in.ready(ctx); err != nil {
		in.tree.stop()
		return nil, err
	}
	return in, nil
}

// ready waits for the greeting.
func (in *instance) ready(ctx context.Context) error {
	err := errors.New("no greeting within 10 s")
	until(ctx, 10*time.Second, func() bool {
		select {
		case <-in.tree.ended:
			err = errors.New("ended at its start")
			return true
		default:
		}
		c, e := connect(in.addr, nil)
		if e != nil {
			return false
		}
		err = c.quit()
		return true
	})
	if err != nil {
		text, _ := os.ReadFile(in.log)
		return fmt.Errorf("%w: %s", err, lastLine(string(text)))
	}
	return nil
}

// session logs in and sets the binary type.
func (in *instance) session() (*client, error) {
	c, err := connect(in.addr, in.tls)
	if err != nil {
		return nil, err
	}
	if err = c.login(in.user, in.pass); err == nil {
		err = c.do("TYPE I", "200")
	}
	if err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// sessions opens n sessions, some at a time. Those that are open are returned with an error, too.
func (in *instance) sessions(n int) ([]*client, error) {
	const atOnce = 8
	fresh := make([]*client, n)
	err := each(min(n, atOnce), func(k int) (err error) {
		for i := k; i < n && err == nil; i += atOnce {
			fresh[i], err = in.session()
		}
		return err
	})
	return slices.DeleteFunc(fresh, func(c *client) bool { return c == nil }), err
}

func closeAll(clients []*client) {
	for _, c := range clients {
		c.conn.Close()
	}
}

// freePort asks the system for a port. Nobody else here takes it before the server does.
func freePort() (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port), nil
}
