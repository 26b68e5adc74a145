package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

// A missing is a kind that does not, and why.
type missing struct{ name, reason string }

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
		_ = os.RemoveAll(b.besides())
	}
	if b.lock != nil {
		b.lock.Close()
	}
}

// besides is a directory beside the one that is served, for what a server keeps. It may be missing.
func (b *bench) besides() string { return b.top + "-state" }

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
	if b.suite.readOnly {
		err = c.retr(smallName(0), int64(b.scale.smallBytes))
	} else {
		err = c.stor("up/probe", []byte("probe"))
	}
	if err != nil {
		return err
	}
	b.log.Info("found", "server", k.name, "version", p.version)
	b.servers = append(b.servers, s)
	return b.clearUploads()
}

// measure runs the rows. Within a round the servers take turns, so that a change of the machine's
// mood meets them all.
func (b *bench) measure(ctx context.Context) (*results, error) {
	res := newResults()
	for _, w := range b.suite.workloads() {
		if want := list(b.opt.rows); want != nil && !slices.Contains(want, w.name) {
			continue
		}
		if w.x > 0 && w.x > b.scale.most {
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
	l := launch{secure: w.secure, users: w.users}
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

// list splits a comma separated flag; "" is the empty list.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
