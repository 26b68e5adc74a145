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
	suite suite
	opt   options
	scale scale
	log   *slog.Logger

	lock  *os.File
	state string   // directory for binaries, configuration, logs
	top   string   // directory that is removed at the end
	root  string   // directory in it that every server serves, at least in the end
	far   *storage // nil where that is a local directory
	pem   string   // file with certificate and key
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
	if err := b.suite.layout(ctx, b); err != nil {
		return err
	}
	b.pem = filepath.Join(b.state, "bench.pem")
	if b.tls, err = writeCertificate(b.pem); err != nil {
		return err
	}
	for _, k := range b.suite.kinds() {
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

// alone refuses to run beside another bench of this tree: both would use b.state, and neither would
// measure anything.
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
	if b.far != nil {
		b.far.stop()
	}
	if b.top != "" {
		_ = os.RemoveAll(b.top)
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
	in, err := b.start(ctx, s, launch{})
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

// measure runs the rows. Within a round the servers take turns, so that a change of the machine's
// mood meets them all.
func (b *bench) measure(ctx context.Context) (*results, error) {
	res := newResults()
	for _, w := range b.suite.workloads() {
		if want := list(b.opt.rows); want != nil && !slices.Contains(want, w.name) {
			continue
		}
		if w.needs != nil {
			if reason := w.needs(ctx, b); reason != "" {
				b.log.Warn("left out", "row", w.name, "reason", reason)
				res.notes = append(res.notes, w.title(b.scale)+": "+reason)
				continue
			}
		}
		if err := b.rounds(ctx, w, res); err != nil {
			return nil, err
		}
	}
	if b.suite.calls && b.opt.strace && b.opt.rows == "" {
		b.countCalls(ctx, res)
	}
	return res, context.Cause(ctx)
}

// rounds measures one workload on every server that it is for.
func (b *bench) rounds(ctx context.Context, w workload, res *results) error {
	rounds := b.scale.rounds
	if w.rounds > 0 {
		rounds = min(rounds, w.rounds)
	}
	for round := range rounds {
		for _, s := range b.servers {
			if w.only != nil && !slices.Contains(w.only, s.name) {
				continue
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			values, err := b.once(ctx, w, s)
			b.log.Info("measured", "row", w.name, "round", round+1, "server", s.name, "values", values, "err", err)
			res.add(w.rows(b.scale), s.name, values, err)
		}
	}
	return nil
}

// once measures one workload on a freshly started server.
func (b *bench) once(ctx context.Context, w workload, s server) ([]float64, error) {
	l := launch{secure: w.secure}
	if w.flags != nil {
		l.flags = w.flags(b, s.name)
	}
	in, err := b.start(ctx, s, l)
	if err != nil {
		return nil, err
	}
	defer in.tree.stop()
	stop := context.AfterFunc(ctx, in.tree.stop) // its sessions then fail, and the workload ends
	defer stop()
	values, err := w.run(b, in)
	in.tree.stop() // so that nothing comes into what is cleared
	return values, errors.Join(err, b.clearUploads(), os.RemoveAll(b.cacheDir()))
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
