package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/doctorcmd"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/serverconfig"
	"ferry/config"
	"ferry/remote"
)

const doctorLong = `Try all that "ferry serve ftp" needs with these flags, and print a table of what works, with a remedy for what does not:
the configuration, the remote (time of a call, throughput, uploads of several parts, renames, what it cannot do, its clock),
the disk of the cache, descriptors, ports, the public address, the certificate, the users.

Files with random names are written to the remote, and to the directory of the cache, and removed again, also after ^C;
--read-only leaves those on the remote out. Nothing that is there is touched; the place of --handover is made, and stays. The exit status is 1 if something does not work.`

const doctorExample = `  ferry doctor nas:scans --addr :21 --vfs-cache-mode writes
  ferry doctor --server-config /etc/ferry/ferry.toml`

// A doctor tries what a server needs.
type doctor struct {
	process process
	options *options
	report  *doctorcmd.Report
	log     *slog.Logger
	find    doctorcmd.Finder
	size    int64 // of what is transferred to measure
	stored  bool  // something was stored on the remote, and removed
}

func (p process) doctorCommand(o *options) *cobra.Command {
	asJSON, size := false, config.Size(0)
	cmd := &cobra.Command{
		Use:     "doctor [remote:path] [flags of serve ftp]",
		Short:   "Try all that a server needs, and say what to do",
		Long:    doctorLong,
		Example: doctorExample,
		Args:    atMostOneRemote,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, release := p.interruptible(cmd.Context())
			defer release()
			d := &doctor{process: p, options: o, report: &doctorcmd.Report{}, find: doctorcmd.System(), size: int64(size)}
			if err := d.run(ctx, cmd.Flags(), args); err != nil {
				return err
			}
			write := d.report.Write
			if asJSON {
				write = d.report.WriteJSON
			}
			if err := write(p.stdout); err != nil {
				return err
			}
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case d.report.Failed() > 0:
				return errCheckFailed
			}
			return nil
		},
	}
	addServeFlags(cmd, o)
	cmd.Flags().BoolVar(&asJSON, "json", false, "Print JSON")
	flags.Add(cmd.Flags(), flags.Group{Title: "Doctor", Flags: []flags.Flag{flags.ProbeSize(&size)}})
	size = 16 << 20
	return cmd
}

// run tries all. The error is that of a command line that means nothing.
func (d *doctor) run(ctx context.Context, fs *pflag.FlagSet, args []string) error {
	o := d.options
	what, usable, err := d.configuration(ctx, fs, args)
	if err != nil || !usable {
		return err
	}
	logger, logFile, err := logging.Open(&o.Log, d.process.stderr)
	if err != nil {
		d.report.Fail(areaConfiguration, "log", "correct --log-file", "%v", err)
		logger = slog.New(slog.DiscardHandler)
	}
	defer logFile.Close()
	d.log = logger
	hear := d.listen(ctx)
	info := d.remote(ctx, what)
	defer hear(ctx)
	if ctx.Err() != nil {
		return nil
	}
	d.cache(info)
	l := processLimits()
	wanted := uint32(0)
	if o.Given("max-sessions") {
		wanted = o.MaxSessions
	}
	doctorcmd.Descriptors(d.report, l.descriptors, l.sessions(), wanted)
	d.ports(ctx)
	d.addresses(ctx)
	d.certificates(time.Now())
	d.cluster(ctx)
	return nil
}

const (
	areaConfiguration = "configuration"
	areaRemote        = "remote"
	areaUsers         = "users"
	areaCluster       = "cluster"
)

// configuration notes what is wrong with the flags and what they name. It returns what is served,
// and whether the rest can be tried.
func (d *doctor) configuration(ctx context.Context, fs *pflag.FlagSet, args []string) (what string, usable bool, err error) {
	p, o := d.process, d.options
	named, err := flags.Sources{Env: p.env}.Resolve(fs, flags.ServerConfig(&o.Options))
	if err != nil {
		return "", false, err
	}
	faults := &serverconfig.Faults{}
	if o.ServerConfig != "" {
		if o.file, err = serverconfig.Read(o.ServerConfig); err != nil {
			faults.Note(err)
		}
	}
	if o.ServerConfig == "" || o.file != nil {
		err := p.setFlags(fs, o, named)
		if usable = err == nil; usable {
			faults.Origins = o.origins
			p.lookAround(ctx, o, args, faults)
		}
		faults.Note(err)
	}
	for _, fault := range faults.List() {
		d.report.Fail(areaConfiguration, "mistake", "", "%s", fault)
	}
	if !usable {
		return "", false, nil
	}
	if len(faults.List()) == 0 {
		d.report.OK(areaConfiguration, "flags", "%s", configured(o))
	}
	what, _ = whatToServe(o, args)
	d.users()
	return what, true, nil
}

// configured says where the flags are from.
func configured(o *options) string {
	if o.file != nil {
		return "no mistakes in " + o.ServerConfig
	}
	return "no mistakes"
}

// users says who may log in.
func (d *doctor) users() {
	o := d.options
	switch {
	case o.UsersThere:
		d.report.OK(areaUsers, "users", "%d in %s", len(o.file.Users.Names()), o.ServerConfig)
	case o.HasUsers():
		d.report.OK(areaUsers, "users", "from %s", strings.Join(o.UserSources(), " and "))
	case o.Pass == "" && slices.ContainsFunc(o.Addrs, func(addr string) bool {
		return !strings.HasPrefix(addr, "localhost:") && !strings.HasPrefix(addr, "127.")
	}):
		d.report.Warn(areaUsers, "password", "give --pass, or --users", "anybody who reaches this machine can log in as %s", o.User)
	case o.Pass == "":
		d.report.OK(areaUsers, "password", "none: every user of this machine can log in as %s", o.User)
	default:
		d.report.OK(areaUsers, "password", "of %s", o.User)
	}
}

// remote tries what is served, and returns what it is.
func (d *doctor) remote(ctx context.Context, what string) remote.Info {
	if what == "" || what == nothing {
		d.report.Skip(areaRemote, "remote", "each user has one: name one of them to have it tried")
		return remote.Info{}
	}
	var info remote.Info
	err := d.process.whileOpen(ctx, d.options, what, d.log, func(ctx context.Context, r remote.Remote) error {
		info = r.Info()
		d.tryRemote(ctx, r)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.report.Fail(areaRemote, "open", "", "%v", err)
	}
	return info
}

func (d *doctor) tryRemote(ctx context.Context, r remote.Remote) {
	o := d.options
	reached, dates := true, &doctorcmd.Dates{}
	ctx = dates.Watch(ctx)
	check := &checker{remote: r, out: io.Discard, readOnly: o.IsReadOnly(), told: func(step checked) {
		if step.what == "reach" {
			reached = step.err == nil
		}
		d.tellStep(step)
	}}
	_ = check.run(ctx) // each step was told
	d.stored = !o.IsReadOnly() && !r.Info().Caps.ReadOnly && check.failed == 0 && !check.buckets
	if !reached || ctx.Err() != nil {
		return
	}
	doctorcmd.Latency(ctx, d.report, r)
	if d.stored {
		(&doctorcmd.Speed{Remote: r, Size: d.size, Dates: dates}).Run(ctx, d.report)
	}
	dates.Tell(d.report)
	cached := o.Cache.Mode != flags.CacheOff && o.Cache.Mode != "minimal"
	doctorcmd.Abilities(d.report, r, cached)
}

// tellStep makes a row of a step of a check.
func (d *doctor) tellStep(step checked) {
	switch {
	case step.err == errOnlyBuckets:
		d.report.Skip(areaRemote, step.what, "only buckets are here: name one of them")
	case errors.Is(step.err, remote.ErrUnsupported):
		d.report.Skip(areaRemote, step.what, "not offered by this remote")
	case step.err != nil:
		d.report.Fail(areaRemote, step.what, "", "%v", step.err)
	default:
		d.report.OK(areaRemote, step.what, "%v %s", step.took, step.detail)
	}
}

// cache tries the disk of the cache.
func (d *doctor) cache(info remote.Info) {
	o := d.options
	if o.Cache.Mode == flags.CacheOff {
		d.report.Skip("cache", "disk", "none: --vfs-cache-mode is off")
		return
	}
	dir, err := o.places.Store(info, o.IsReadOnly())
	if err == nil {
		err = o.places.Check(dir)
	}
	if err != nil {
		d.report.Fail("cache", "directory", "", "%v", err)
		return
	}
	doctorcmd.CacheDisk(d.report, dir)
}

func (d *doctor) ports(ctx context.Context) {
	o := d.options
	for _, addr := range o.Addrs {
		doctorcmd.Listen(ctx, d.report, "--addr", addr)
	}
	for _, addr := range o.ImplicitAddrs {
		doctorcmd.Listen(ctx, d.report, "--implicit-tls-addr", addr)
	}
	if o.RC.Enabled {
		for _, addr := range o.RC.Addrs {
			if !strings.HasPrefix(addr, flags.UnixScheme) {
				doctorcmd.Listen(ctx, d.report, "--rc-addr", addr)
			}
		}
	}
	doctorcmd.Passive(ctx, d.report, o.Passive)
}

func (d *doctor) addresses(ctx context.Context) {
	if len(d.options.PublicIP) == 0 {
		d.find.NoPublicAddress(d.report)
		return
	}
	for _, public := range d.options.PublicIP {
		d.find.PublicAddress(ctx, d.report, public.Host)
	}
}

// certificates looks at those that files hold.
func (d *doctor) certificates(now time.Time) {
	o := d.options
	if !o.HasTLS() {
		d.report.Skip("certificate", "TLS", "there is none: passwords and files go in the clear (--tls self-signed)")
	}
	if len(o.ACME.Names) > 0 {
		d.report.Skip("certificate", "--acme", "an authority gives that of %s; ferry acme show tells of it", strings.Join(o.ACME.Names, ", "))
	}
	if o.TLS == "self-signed" {
		d.report.OK("certificate", "self-signed", "clients ask whether to trust it, once")
	}
	var hosts []string
	for _, public := range o.PublicIP {
		if _, err := netip.ParseAddr(public.Host); err != nil {
			hosts = append(hosts, public.Host)
		}
	}
	for i, file := range o.Cert {
		if i >= len(o.Key) {
			return
		}
		pair, err := tls.LoadX509KeyPair(file, o.Key[i])
		if err != nil {
			continue // the configuration has told
		}
		doctorcmd.Certificate(d.report, file, &pair, hosts, nil, now)
	}
}
