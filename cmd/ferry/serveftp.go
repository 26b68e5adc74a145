package main

import (
	"cmp"
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/cmd/ferry/internal/systemd"
	"ferry/events"
	"ferry/ftp"
)

const serveFTPLong = `Serve a remote over FTP, and over FTPS where there is a certificate.

The remote is a local directory, a remote of rclone's configuration file (nas:path), or one that is described on the spot
(:s3,provider=Minio,endpoint="http://host:9000":bucket). "ferry help backends" lists the types there are; the options of
each are flags and variables too.

Without --pass anybody who gives the user name can log in. Then listen on addresses that only those can reach who may
see and change everything.

Every flag can also be set in the environment: --passive-port is FERRY_PASSIVE_PORT, or else RCLONE_PASSIVE_PORT. A flag
on the command line comes first.

Under systemd it takes over the sockets called ftp and ftps in place of --addr and --implicit-tls-addr, and rc in place of
--rc-addr, and tells its status.

Every flag can be a line of the file that --server-config names, too, and the users and the remote with them; flags and
variables come before it. "ferry config check" looks for mistakes in it, "ferry config show" says what holds.

SIGINT and SIGTERM let running transfers finish for --shutdown-timeout; a second one stops at once. SIGHUP reads
--server-config and applies what can change while the server runs, opens --log-file again, reads the certificate again
and forgets what is remembered of directories.`

const serveFTPExample = `  ferry serve ftp .
  ferry serve ftp /srv/ftp --addr :2121 --user bob --pass secret
  ferry serve ftp nas:scans --user scanner --pass secret
  ferry serve ftp /srv/ftp --addr :21 --tls self-signed --require-tls --public-ip ftp.example.org`

func (p process) serveFTPCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ftp remote:path",
		Short:   "Serve remote:path over FTP",
		Long:    serveFTPLong,
		Example: serveFTPExample,
		Args:    atMostOneRemote,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.catch()
			what, err := p.resolve(cmd.Flags(), o, args)
			if err != nil {
				return p.told(o.ServerConfig, err)
			}
			o.what = what
			return p.serveFTP(cmd.Context(), o, what, func(log *slog.Logger) { flags.WarnOfAccepted(log, cmd.Flags()) })
		},
	}
	cmd.Flags().SortFlags = false
	own := flags.Serve(&o.Options) // the others belong to every command
	flags.Add(cmd.Flags(), own...)
	flags.AddOfTypes(cmd.Flags(), &o.Options)
	completeChoices(cmd, own)
	return cmd
}

// atMostOneRemote leaves it to whatToServe whether none is enough.
func atMostOneRemote(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return flags.Usagef("one remote:path is served at a time, not %d: quote a path with spaces", len(args))
	}
	return nil
}

// completeChoices has the shell complete the flags that take one of a few words.
func completeChoices(cmd *cobra.Command, groups []flags.Group) {
	for _, g := range groups {
		for _, row := range g.Flags {
			if words := strings.Split(row.Value.Type(), "|"); len(words) > 1 {
				// It fails for a flag that is not there, or is completed already.
				_ = cmd.RegisterFlagCompletionFunc(row.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
}

// frame is what is opened before what is served, and closed after it.
type frame struct {
	log       *slog.Logger
	level     *slog.LevelVar // of log
	logFile   *logging.File  // nil = the log goes to standard error
	listening *listenings
	manager   *systemd.Manager
}

// serveFTP opens everything, serves until it is told to stop, and closes everything.
func (p process) serveFTP(ctx context.Context, o *options, what string, warn func(*slog.Logger)) error {
	level := new(slog.LevelVar)
	level.Set(logging.LeastLevel(&o.Log))
	log, logFile, err := logging.OpenAt(&o.Log, p.stderr, level)
	if err != nil {
		return err
	}
	defer logFile.Close()
	warn(log)
	warnOfLooseFiles(ctx, log, append(o.secretFiles(), p.console(o).Path())...)
	p.warnOfVariables(log)
	if o.sockets, err = systemd.Inherit(); err != nil {
		return err
	}
	defer o.sockets.Close()
	listening, err := p.openListenings(ctx, o, log)
	if err != nil {
		return err
	}
	defer listening.close()
	return p.serveWithin(ctx, o, what, frame{log, level, logFile, listening, systemd.Find(log)})
}

// serveWithin opens what is served in f, and serves.
func (p process) serveWithin(ctx context.Context, o *options, what string, f frame) error {
	log := f.log
	rules, err := p.parseFilter(&o.Filter)
	if err != nil {
		return err
	}
	leave, err := p.openShared(ctx, o, f)
	if err != nil {
		return err
	}
	defer leave()
	st, err := p.openStack(ctx, o, what, log)
	if err != nil {
		return err
	}
	var s *service
	defer func() { st.close(ctx, s != nil && s.abandoned) }()
	identity, err := o.loadTLS(ctx, log, f.listening.events())
	if err != nil {
		return err
	}
	listeners, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer listen.CloseAll(listeners)
	o.warnOfRisks(log, listeners)
	if err := st.openTree(o, rules); err != nil {
		return err
	}
	accounts, err := p.openAccounts(o, rules, st, log)
	if err != nil {
		return err
	}
	defer func() { accounts.end(s != nil && s.abandoned) }()
	watch, err := o.openWatch(log)
	if err != nil {
		return err
	}
	defer watch.close()
	server := o.server(accounts.backendOf(o, st.tree, f.listening.asked), p.sessionLog(o, log))
	f.listening.observe(server, accounts.source())
	server.TLS = identity.config
	watch.protect(server, o.shared.peers)
	leaving := newDraining(server, o.watched.Health(), o.DrainDelay)
	about := rcbridge.Subject{
		What: st.what, Server: server, Guard: watch.guard, Tree: st.tree, Cache: st.kept, Counts: st.counts, Bandwidth: o.shared.dial, Drain: leaving, Cluster: o.shared.peers.status(),
		Elsewhere: o.shared.peers.elsewhere(), Trees: accounts.openTrees, Hooks: f.listening.outbox, Health: o.watched.Health(), Pages: o.watched.Pages(), Inlets: o.shared.feeds.posts(),
		Listeners: o.socketsIf(o.RC.Enabled, systemd.RC),
		Version:   version(), MaxConnections: processLimits().rcConnections(),
	}
	page := o.showPage(&about, f.listening, accounts, listeners, identity.certs, log)
	control, err := rcbridge.Open(ctx, &o.Options, log, about)
	if err = cmp.Or(err, o.sockets.Unused()); err != nil {
		return err
	}
	s = o.newService(ctx, st, server, leaving)
	s.reloading = p.newReloading(o, f.level)
	s.accounts, s.watch, s.listening, s.page, s.manager = accounts, watch, f.listening, page, f.manager
	s.control, s.listeners, s.signals, s.logFile = control, listeners, p.signals, f.logFile
	s.certs, s.acme = identity.certs, identity.acme
	s.watchedBy(o)
	p.greet(o, banner{listeners, st.remote.Info().Name, st.kept.Dir, control.Page()})
	return s.run(ctx)
}

// openShared opens what all trees have in common, and the place of --handover. From then on until
// leave is called this is a node of its cluster.
func (p process) openShared(ctx context.Context, o *options, f frame) (leave func(), err error) {
	if err := o.share(f.listening.stream, f.log); err != nil {
		return nil, err
	}
	end, err := o.shared.peers.enter(ctx)
	if err != nil {
		return nil, err
	}
	if o.handover, err = p.openHandover(ctx, o, f.log); err != nil {
		end()
		return nil, err
	}
	return func() {
		o.handover.close()
		end()
	}, nil
}

// greet shows b where somebody looks at it.
func (p process) greet(o *options, b banner) {
	if p.onTerminal(o) {
		b.write(p.stderr, o)
	}
}

// newService returns what serves a stack by server as the flags say, and leaves by leaving; the
// caller adds what it serves with.
func (o *options) newService(ctx context.Context, st *stack, server *ftp.Server, leaving *draining) *service {
	st.noteRemote()
	o.applyLimits(ctx, st.log, processLimits())
	server.Adjust(o.tune)
	s := &service{
		server:   server,
		stack:    st,
		log:      st.log,
		draining: leaving,
		handing:  o.handover,
		places:   o.places,
		grace:    o.ShutdownTimeout,
		flush:    o.Cache.Flush,
		beside:   o.background(st),
		feeds:    o.ofAll().feeds,
		peers:    o.ofAll().peers,
		stats:    stats{flags.Unlimited(o.Log.Stats), logging.StatsLevel(&o.Log), st.log, server, st.tree, st.counts},
	}
	s.peers.join(server)
	leaving.waiting, leaving.happened = s.allWaiting, func(kind events.Kind) { s.happened(ctx, kind) }
	if s.handing != nil {
		leaving.give = nil
	}
	if len(o.PublicIP) > 0 {
		s.public = newPublicIPs(o.PublicIP)
		server.Adjust(s.public.tune)
	}
	return s
}

// warnOfRisks logs what an administrator should not find out from somebody else.
func (o *options) warnOfRisks(log *slog.Logger, listeners []listener) {
	for _, l := range listeners {
		if !o.HasUsers() && o.Pass == "" && !listen.IsLoopback(l) {
			access := "read and change"
			if o.IsReadOnly() {
				access = "read"
			}
			log.Warn("anybody who can reach "+l.url()+" can "+access+" everything: there is no --pass", "user", o.User)
		}
	}
	if o.Cluster.Conflict == "keep" && !o.HasUsers() && (o.Cache.Mode == flags.CacheOff || o.Cache.Mode == "minimal" || o.Cache.Ack == "remote") {
		log.Warn("--conflict keep keeps nothing: no upload waits on this disk (--vfs-cache-mode, --vfs-write-ack), so the last one to finish stays")
	}
	if o.HasTLS() && o.MinTLS < "1.2" {
		log.Warn("--min-tls-version " + o.MinTLS + " accepts protocols that can be broken: use it for old devices only")
	}
}
