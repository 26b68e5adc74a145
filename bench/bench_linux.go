package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// workDir keeps unpacked peers from run to run, and the configuration of servers during one.
const workDir = "bench/work"

// A bench is one run.
type bench struct {
	opt   options
	scale scale
	log   *slog.Logger

	lock  *os.File
	state string // directory for binaries, configuration, logs
	root  string // directory that every server serves
	pem   string // file with certificate and key
	tls   *tls.Config
	load  string // load average before the start

	servers []server
	missing []missing
}

// A server is a program that runs here.
type server struct {
	name string
	program
}

// A missing is a kind that does not, and why.
type missing struct{ name, reason string }

// An instance is a running server.
type instance struct {
	server
	addr netip.AddrPort
	tree *tree
	log  string // file with what it printed
	tls  *tls.Config
}

// prepare lays out the directory to serve and finds the servers.
func (b *bench) prepare(ctx context.Context) error {
	state, err := filepath.Abs(filepath.Join(workDir, "run"))
	if err != nil {
		return err
	}
	b.state = state
	if err := os.MkdirAll(b.state, 0o755); err != nil {
		return err
	}
	if err := b.alone(); err != nil {
		return err
	}
	if err := b.layout(); err != nil {
		return err
	}
	b.pem = filepath.Join(b.state, "bench.pem")
	if b.tls, err = writeCertificate(b.pem); err != nil {
		return err
	}
	for _, k := range kinds() {
		if want := list(b.opt.servers); want != nil && !slices.Contains(want, k.name) {
			continue
		}
		if err := b.find(ctx, k); err != nil {
			b.log.Warn("missing", "server", k.name, "reason", err)
			b.missing = append(b.missing, missing{k.name, err.Error()})
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if len(b.servers) == 0 {
		return errors.New("no server can run")
	}
	return nil
}

// alone refuses to run beside another bench of this tree: both would use b.state, and neither would measure anything.
func (b *bench) alone() error {
	f, err := os.Create(filepath.Join(b.state, "lock"))
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("another bench runs in this tree: %w", err)
	}
	b.lock = f
	return nil
}

// close removes what prepare made, but for what the next run can use.
func (b *bench) close() {
	if b.root != "" {
		_ = os.RemoveAll(b.root)
	}
	if b.lock != nil {
		b.lock.Close()
	}
}

// find looks a kind up and starts it once to see that it serves.
func (b *bench) find(ctx context.Context, k kind) error {
	p, err := k.find(ctx, b)
	if err != nil {
		return err
	}
	s := server{k.name, p}
	in, err := b.start(ctx, s, false)
	if err != nil {
		return err
	}
	defer in.tree.stop()
	c, err := in.session()
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if err := c.stor("up/probe", []byte("probe")); err != nil {
		return err
	}
	b.log.Info("found", "server", k.name, "version", p.version)
	b.servers = append(b.servers, s)
	return b.clearUploads()
}

// start runs a server and waits until it greets.
func (b *bench) start(ctx context.Context, s server, secure bool) (*instance, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd, err := s.command(b, port, secure)
	if err != nil {
		return nil, err
	}
	in := &instance{
		server: s,
		addr:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port),
		log:    filepath.Join(b.state, s.name+".log"),
	}
	if secure {
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

// measure runs the rows. Within a round the servers take turns, so that a change of the machine's mood meets them all.
func (b *bench) measure(ctx context.Context) (*results, error) {
	res := newResults()
	for _, w := range workloads() {
		if want := list(b.opt.rows); want != nil && !slices.Contains(want, w.name) {
			continue
		}
		for round := range b.scale.rounds {
			for _, s := range b.servers {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				values, err := b.once(ctx, w, s)
				b.log.Info("measured", "row", w.name, "round", round+1, "server", s.name, "values", values, "err", err)
				res.add(w.rows(b.scale), s.name, values, err)
			}
		}
	}
	if b.opt.strace && b.opt.rows == "" {
		b.countCalls(ctx, res)
	}
	return res, context.Cause(ctx)
}

// once measures one workload on a freshly started server.
func (b *bench) once(ctx context.Context, w workload, s server) ([]float64, error) {
	in, err := b.start(ctx, s, w.secure)
	if err != nil {
		return nil, err
	}
	defer in.tree.stop()
	stop := context.AfterFunc(ctx, in.tree.stop) // its sessions then fail, and the workload ends
	defer stop()
	values, err := w.run(b, in)
	return values, errors.Join(err, b.clearUploads())
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

// An account is the unprivileged user that servers started by root become.
type account struct {
	name, group string
	uid, gid    int
}

func lookupNobody() (account, error) {
	u, err := user.Lookup("nobody")
	if err != nil {
		return account{}, err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return account{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return account{u.Username, g.Name, uid, gid}, errors.Join(err1, err2)
}
