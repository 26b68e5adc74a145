package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/events"
	"ferry/ftp"
	"ferry/serve/users"
)

// A reloading reads the file of --server-config again while a service runs, and applies what may
// change. It belongs to the goroutine of service.run.
type reloading struct {
	process process
	level   *slog.LevelVar // of the log
	start   *options       // what the service was started with
	last    *options       // what was read last
}

// newReloading returns one for what o says now; nil without a file. It keeps a copy: what it
// compares with does not change.
func (p process) newReloading(o *options, level *slog.LevelVar) *reloading {
	if o.file == nil {
		return nil
	}
	start := *o
	return &reloading{process: p, level: level, start: &start, last: &start}
}

// readAgain returns what the command line, the variables and the file say now.
func (p process) readAgain(ctx context.Context) (*options, error) {
	o := &options{}
	fs := pflag.NewFlagSet("serve ftp", pflag.ContinueOnError)
	flags.Add(fs, flags.All(&o.Options)...)
	flags.AddOfTypes(fs, &o.Options)
	err := fs.Parse(p.args)
	if err != nil {
		return nil, err
	}
	const words = 2 // serve ftp
	if o.what, err = p.resolve(fs, o, fs.Args()[words:]); err != nil {
		return nil, err
	}
	if o.Users != "" { // it is watched besides; here it shows whether all holds together
		if _, err := users.Read(o.Users); err != nil {
			return nil, err
		}
	}
	o.applyLimits(ctx, slog.New(slog.DiscardHandler), processLimits())
	return o, nil
}

// run applies what has changed to s. A file with mistakes changes nothing. r may be nil.
func (r *reloading) run(ctx context.Context, s *service, wg *sync.WaitGroup) {
	if r == nil {
		return
	}
	now, err := r.process.readAgain(ctx)
	var pairs ftp.Certificates
	if err == nil && r.certificatesMayChange(now) && !slices.Equal(now.certificateFiles(), r.last.certificateFiles()) {
		pairs, err = now.loadCertificates(ctx, s.log)
	}
	told := &events.Event{Kind: events.ConfigReload, Path: r.start.ServerConfig}
	if err != nil {
		record(ctx, r.start.ofAll().events, outcome(told, err))
		r.tellMistakes(ctx, s.log, err)
		return
	}
	changed := flags.Differ(flags.All(&r.last.Options), flags.All(&now.Options))
	isLive := func(name string) bool { return r.isLive(name, now) }
	fixed := slices.DeleteFunc(flags.Differ(flags.All(&r.start.Options), flags.All(&now.Options)), isLive)
	live := slices.DeleteFunc(slices.Clone(changed), func(name string) bool { return !isLive(name) })
	if now.what != r.start.what {
		fixed = append(fixed, "remote")
	}
	if now.UsersThere != r.start.UsersThere {
		fixed = append(fixed, "users")
	}
	r.apply(ctx, s, now, live, wg)
	if len(pairs) > 0 {
		s.showPairs(ctx, pairs, wg)
	}
	r.last = now
	if len(live) > 0 {
		told.Argument = shownNames(live)
	}
	if len(fixed) > 0 {
		told.Cause = "restart ferry for " + shownNames(fixed)
	}
	record(ctx, r.start.ofAll().events, told)
	s.log.Log(ctx, logging.Notice, "read the server configuration again", "file", now.ServerConfig, "changed", shownNames(live))
	if len(fixed) > 0 {
		s.log.WarnContext(ctx, "restart ferry for what cannot change while it runs", "flags", shownNames(fixed))
	}
}

// isLive reports whether the flag can change in this service.
func (r *reloading) isLive(name string, now *options) bool {
	switch name {
	case "cert", "key":
		return r.certificatesMayChange(now)
	case "require-tls":
		return r.start.HasTLS()
	case "bwlimit": // a directory of this machine has nothing that could keep a limit
		return r.start.ofAll().dial.Connected() || r.start.HasUsers()
	}
	return flags.IsLive(name)
}

// certificatesMayChange reports whether other files of --cert and --key can be shown: there were
// some at the start, and there are some now.
func (r *reloading) certificatesMayChange(now *options) bool {
	return len(r.start.Cert) > 0 && len(now.Cert) > 0
}

// certificateFiles returns the files of --cert and --key.
func (o *options) certificateFiles() []string { return slices.Concat(o.Cert, o.Key) }

// tellMistakes logs why nothing changes, each mistake with its line.
func (r *reloading) tellMistakes(ctx context.Context, log *slog.Logger, err error) {
	list := users.Errors(err)
	if len(list) == 0 {
		log.ErrorContext(ctx, "the server configuration stays as it was", "error", err)
	}
	for _, mistake := range list {
		log.ErrorContext(ctx, "the server configuration stays as it was", "error", mistake)
	}
}

// apply makes now hold in s, where live names what has changed.
func (r *reloading) apply(ctx context.Context, s *service, now *options, live []string, wg *sync.WaitGroup) {
	tuned := *now
	tuned.RequireTLS = now.RequireTLS && r.start.HasTLS()
	s.server.Adjust(tuned.tune)
	if slices.Contains(live, "public-ip") {
		public := newPublicIPs(now.PublicIP)
		s.server.Adjust(public.tune)
		wg.Go(func() { public.check(ctx, s.log) })
	}
	r.level.Set(logging.LeastLevel(&now.Log))
	s.grace, s.flush = now.ShutdownTimeout, now.Cache.Flush
	s.draining.setPause(now.DrainDelay)
	if slices.Contains(live, "bwlimit") {
		r.start.ofAll().dial.Set(now.Chain.Bandwidth)
	}
	s.watch.guard.SetNetworks(now.networks())
	own := now.ownHooks()
	r.start.ofAll().hooks.Store(&own)
	if now.UsersThere && r.start.UsersThere {
		s.accounts.replace(ctx, s.server, now.file.Users)
		return
	}
	s.listening.setHooks(ctx, r.start, s.accounts.current(), s.log)
	s.accounts.replaceHooks(ctx, s.accounts.current())
}

// shownNames writes names of flags into a log.
func shownNames(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), " ")
}
