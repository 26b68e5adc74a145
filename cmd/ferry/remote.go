package main

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/all"
	"ferry/remote/count"
)

// openTime is how long opening a remote may take. A driver that asks its server then goes on without the answer.
const openTime = 300 * time.Millisecond

// opened is a remote with its decorators.
type opened struct {
	remote.Remote
	counts *count.Remote
	probe  func(ctx context.Context) error // asks the driver itself for a sign of life
	root   *rootCheck
}

// openRemote opens what the command line names, with its decorators, and begins to look whether it is a directory. It returns
// soon, whatever the remote does; a mistake that is found by then is its error.
func (p process) openRemote(ctx context.Context, o *options, what string, log *slog.Logger) (*opened, error) {
	driver, err := p.openDriver(ctx, o, what, log, openTime)
	if err != nil {
		return nil, explainRoot(what, err)
	}
	r := &opened{probe: func(ctx context.Context) error {
		_, err := driver.Stat(ctx, ".")
		return err
	}}
	r.Remote, r.counts = o.newChain(driver, log)
	r.root = o.checkRoot(ctx, r.Remote, what, log)
	if err := r.root.atOnce(ctx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *opened) close() {
	r.root.end()
	r.Remote.Close()
}

// openDriver finds out what a remote string means and opens that, within a time; 0 = as long as it takes.
func (p process) openDriver(ctx context.Context, o *options, what string, log *slog.Logger, within time.Duration) (remote.Remote, error) {
	net, err := o.network.options()
	if err != nil {
		return nil, usageError{err}
	}
	net.Attempts = int(max(o.chain.attempts, 1))
	net.KnownHosts = p.places(o.cacheDir).knownHosts()
	sources := &lazySources{process: p, options: o, log: log}
	settings, err := sources.resolve(ctx, what)
	if err != nil {
		return nil, err
	}
	opening, cancel := remote.WithLog(ctx, log), func() {}
	if within > 0 {
		opening, cancel = context.WithTimeout(opening, within)
	}
	defer cancel()
	return all.Open(opening, settings, net, func(s string) (config.Settings, error) { return sources.resolve(ctx, s) })
}

// lazySources reads the configuration file when a remote is named that may be in it, and only then: whoever serves a
// directory is not asked for a password.
type lazySources struct {
	process
	options *options
	log     *slog.Logger
	file    *config.Document
	opened  bool
}

func (l *lazySources) resolve(ctx context.Context, what string) (config.Settings, error) {
	spec, err := config.ParseRemote(what)
	if err != nil {
		return config.Settings{}, usagef("remote %w", err)
	}
	if err := checkQuotes(spec); err != nil {
		return config.Settings{}, err
	}
	if spec.Name != "" && !l.opened {
		if err := l.open(ctx); err != nil {
			return config.Settings{}, err
		}
	}
	settings, err := config.Sources{
		Types: all.Types(), Flags: l.options.backend, Env: config.ParseEnviron(l.env), File: l.file,
	}.Resolve(spec)
	if err != nil {
		return config.Settings{}, usageError{err}
	}
	for _, w := range settings.Warnings {
		l.log.WarnContext(ctx, w)
	}
	if settings.Type == "s3" && l.options.serverModTime {
		settings.Values["use_server_modtime"] = "true"
	}
	if settings.Type == config.LocalType {
		l.options.setLocal(settings.Values)
	}
	return settings, nil
}

// checkQuotes refuses a URL that was cut off at its colon, which rclone's grammar takes for the end of the options.
func checkQuotes(spec config.Remote) error {
	for key, value := range spec.Params {
		if (value == "http" || value == "https") && strings.HasPrefix(spec.Path, "//") {
			return usagef("remote option %s: a value with a colon in it must be in quotes, as in ':%s,%s=\"%s://host\":path'",
				key, cmp.Or(spec.Type, "type"), key, value)
		}
	}
	return nil
}

func (l *lazySources) open(ctx context.Context) error {
	f, err := l.openConfig(ctx, l.options)
	if err != nil {
		return err
	}
	l.opened = true
	if err := l.checkExists(l.options.config.path, f); err != nil {
		return err
	}
	if f.Path() != "" && !f.Exists() {
		level := slog.LevelInfo
		if l.options.config.path.given {
			level = slog.LevelWarn
		}
		l.log.Log(ctx, level, "There is no configuration file", "path", f.Path())
	}
	l.file, err = f.Document(ctx)
	return err
}

// setLocal lets the flags of this program that concern local directories count.
func (o *options) setLocal(values map[string]string) {
	if o.given("copy-links") {
		values["copy_links"] = strconv.FormatBool(o.copyLinks)
	}
	if o.given("min-free-space") {
		values["min_free_space"] = o.minFreeSpace.String()
	}
	if o.given("require-mount") {
		values["require_mount"] = strconv.FormatBool(o.requireMount)
	}
	if o.given("partial-max-age") {
		values["partial_max_age"] = config.FormatDuration(o.partialMaxAge)
	}
}

// redactRemote is a remote string without its parameters, which may be secrets.
func redactRemote(what string) string {
	spec, err := config.ParseRemote(what)
	if err != nil || len(spec.Params) == 0 {
		return what
	}
	if spec.Name != "" {
		return spec.Name + ",...:" + spec.Path
	}
	return ":" + spec.Type + ",...:" + spec.Path
}
