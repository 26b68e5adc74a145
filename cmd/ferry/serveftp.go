package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ferry/auth"
	"ferry/config"
	"ferry/ftp"
	"ferry/serve"
	"ferry/vfs"
)

const serveFTPLong = `Serve a remote over FTP, and over FTPS where there is a certificate.

The remote is a local directory, a remote of rclone's configuration file (nas:path), or one that is described on the spot
(:s3,provider=Minio,endpoint="http://host:9000":bucket). "ferry help backends" lists the types there are; the options of
each are flags and variables too.

Without --pass anybody who gives the user name can log in. Then listen on addresses that only those can reach who may
see and change everything.

Every flag can also be set in the environment: --passive-port is FERRY_PASSIVE_PORT, or else RCLONE_PASSIVE_PORT. A flag
on the command line comes first.

SIGINT and SIGTERM let running transfers finish for --shutdown-timeout; a second one stops at once. SIGHUP opens
--log-file again, reads the certificate again and forgets what is remembered of directories.`

const serveFTPExample = `  ferry serve ftp .
  ferry serve ftp /srv/ftp --addr :2121 --user bob --pass secret
  ferry serve ftp nas:scans --user scanner --pass secret
  ferry serve ftp /srv/ftp --addr :21 --tls self-signed --require-tls --public-ip ftp.example.org`

func (p process) serveFTPCommand(o *options) *cobra.Command {
	rows := flagTable()
	cmd := &cobra.Command{
		Use:     "ftp remote:path",
		Short:   "Serve remote:path over FTP",
		Long:    serveFTPLong,
		Example: serveFTPExample,
		Args:    wantRemote,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.catch()
			if err := checkConfigPath(cmd.Flags()); err != nil {
				return err
			}
			if err := resolveFlags(cmd.Flags(), rows, p.env); err != nil {
				return err
			}
			o.given = cmd.Flags().Changed
			o.places = p.places(o.cacheDir)
			o.rc.shown = func() map[string]map[string]any { return shownFlags(cmd.Flags(), rows) }
			if err := o.check(); err != nil {
				return err
			}
			return p.serveFTP(cmd.Context(), o, args[0], func(log *slog.Logger) { warnOfAccepted(log, cmd.Flags()) })
		},
	}
	cmd.Flags().SortFlags = false
	own := slices.DeleteFunc(slices.Clone(rows), func(f flag) bool { return f.group == groupConfig || f.group == groupLogging })
	addFlags(cmd.Flags(), own, o) // the others belong to every command
	addBackendFlags(cmd.Flags(), o)
	completeChoices(cmd, own, o)
	return cmd
}

func wantRemote(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return usagef("what to serve is missing: name a directory or remote:path, as in %s .", cmd.CommandPath())
	case 1:
		return nil
	}
	return usagef("one remote:path is served at a time, not %d: quote a path with spaces", len(args))
}

// completeChoices has the shell complete the flags that take one of a few words.
func completeChoices(cmd *cobra.Command, rows []flag, o *options) {
	for _, row := range rows {
		if words := strings.Split(row.value(o).Type(), "|"); len(words) > 1 {
			// It fails for a flag that is not there, or is completed already.
			_ = cmd.RegisterFlagCompletionFunc(row.name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

// check refuses flags that contradict each other.
func (o *options) check() error {
	switch {
	case o.cert != "" && o.key == "":
		return usagef("--cert needs --key, the file with its private key (it may be the same file)")
	case o.key != "" && o.cert == "":
		return usagef("--key needs --cert, the file with its certificate")
	case o.cert != "" && o.tls != "off":
		return usagef("--tls self-signed and --cert exclude each other: give one of them")
	case o.requireTLS && !o.hasTLS():
		return usagef("--require-tls needs a certificate: give --cert and --key, or --tls self-signed")
	case len(o.implicitAddrs) > 0 && !o.hasTLS():
		return usagef("--implicit-tls-addr needs a certificate: give --cert and --key, or --tls self-signed")
	case o.checkPolling() != nil:
		return o.checkPolling()
	case o.rc.check() != nil:
		return o.rc.check()
	case o.log.quiet && o.log.verbose > 0:
		return usagef("-q and -v exclude each other: give one of them")
	case o.given("log-level") && (o.log.quiet || o.log.verbose > 0):
		return usagef("--log-level excludes -q and -v: give one of them")
	}
	return nil
}

// serveFTP opens everything, serves until it is told to stop, and closes everything.
func (p process) serveFTP(ctx context.Context, o *options, what string, warn func(*slog.Logger)) error {
	log, closeLog, err := o.log.open(p.stderr)
	if err != nil {
		return err
	}
	defer closeLog()
	warn(log)
	warnOfLooseFiles(ctx, log, p.configPath(o), o.key, o.rc.key, o.rc.htpasswd)
	p.warnOfVariables(log)
	rules, err := p.parseFilter(&o.filter)
	if err != nil {
		return err
	}
	st, err := p.openStack(ctx, o, what, log)
	if err != nil {
		return err
	}
	var s *service
	defer func() { st.close(ctx, s != nil && s.abandoned) }()
	pair, err := o.loadKeyPair(ctx, log)
	if err != nil {
		return err
	}
	listeners, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	o.warnOfRisks(log, listeners)
	if err := st.openTree(o, rules); err != nil {
		return err
	}
	server := o.server(st.tree, pair, p.sessionLog(o, log))
	control, err := o.openRC(ctx, log, server, st)
	if err != nil {
		return err
	}
	o.applyLimits(ctx, log, processLimits())
	server.MaxSessions = int(o.maxSessions)
	s = o.newService(st, server)
	s.control, s.listeners, s.pair, s.signals = control, listeners, pair, p.signals
	if p.onTerminal(o) {
		banner{listeners, st.remote.Info().Name, st.kept.dir}.write(p.stderr, o)
	}
	return s.run(ctx)
}

// newService returns what serves a stack by server as the flags say; the caller adds what it serves with.
func (o *options) newService(st *stack, server *ftp.Server) *service {
	s := &service{
		server:   server,
		tree:     st.tree,
		root:     st.root,
		log:      st.log,
		logFile:  o.log.opened,
		grace:    o.shutdownTimeout,
		flush:    o.cache.flush,
		polling:  o.polling(st.remote),
		sweeping: o.sweeping(st.remote),
		stats:    stats{unlimited(o.log.stats), o.log.statsAt(), st.log, server, st.tree, st.counts},
	}
	if o.publicIP != "" {
		s.public = newPublicIP(o.publicIP)
		server.PublicIP = s.public.address
	}
	if o.warm {
		s.warm = int(min(max(o.checkers, 1), maxCheckers))
	}
	return s
}

// server returns the FTP server that the flags describe.
func (o *options) server(tree *vfs.FS, pair *ftp.KeyPair, log *slog.Logger) *ftp.Server {
	s := &ftp.Server{
		Backend: &serve.Backend{
			Auth: auth.NewSingle(o.user, o.pass.reveal()),
			Tree: tree,
		},
		Log:               log,
		TLS:               o.tlsConfig(pair),
		RequireTLS:        o.requireTLS,
		DataResume:        o.dataResumption(),
		Passive:           ftp.PortRange(o.passive),
		NoActive:          o.noActive,
		AllowFXP:          o.allowFXP,
		AllowPeerMismatch: o.allowPeerMismatch,
		AcceptAbruptClose: o.acceptAbruptClose,
		IdleTimeout:       o.idleTimeout,
		LoginTimeout:      o.loginTimeout,
		DataConnect:       o.dataTimeouts.connect,
		DataStall:         o.dataTimeouts.stall,
		MinRate:           max(int64(o.minRate), 0),
		ConvertASCII:      o.ascii == "convert",
	}
	s.MaxSessionsPerHost = int(o.maxSessionsPerIP)
	if o.listTime == "local" {
		s.ListLocation = time.Local
	}
	return s
}

// isReadOnly reports whether no change is let through: asking about each, and only trying, are no use to a client.
func (o *options) isReadOnly() bool { return o.readOnly || o.dryRun || o.interactive }

// unlimited turns "off" into the 0 that means no limit below this package.
func unlimited(d time.Duration) time.Duration {
	if d == config.DurationOff {
		return 0
	}
	return d
}

// warnOfRisks logs what an administrator should not find out from somebody else.
func (o *options) warnOfRisks(log *slog.Logger, listeners []listener) {
	for _, l := range listeners {
		if o.pass == "" && !l.isLoopback() {
			access := "read and change"
			if o.isReadOnly() {
				access = "read"
			}
			log.Warn("Anybody who can reach "+l.url()+" can "+access+" everything: there is no --pass", "user", o.user)
		}
	}
	if o.hasTLS() && o.minTLS < "1.2" {
		log.Warn("--min-tls-version " + o.minTLS + " accepts protocols that can be broken: use it for old devices only")
	}
}
