package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/registry"
)

// lazySources reads the configuration file when a remote is named that may be in it, and only then:
// whoever serves a directory is not asked for a password.
type lazySources struct {
	process
	options *options
	log     *slog.Logger
	config  *config.File     // nil until it is needed
	file    *config.Document // what it says
}

func (l *lazySources) resolve(ctx context.Context, what string) (config.Settings, error) {
	settings, err := l.lookup(ctx, what)
	if err != nil {
		return config.Settings{}, err
	}
	for _, w := range settings.Warnings {
		l.log.WarnContext(ctx, w)
	}
	if settings.Type == "s3" && l.options.ServerModTime {
		settings.Values["use_server_modtime"] = "true"
	}
	if _, has := settings.Values["odd_names"]; has && l.options.Given("vfs-odd-names") {
		settings.Values["odd_names"] = l.options.OddNames
	}
	if _, has := settings.Values["encoding"]; l.options.user.encoding != "" {
		if !has {
			return config.Settings{}, fmt.Errorf("%s: names are written in one way only there, so that no encoding can be set", settings)
		}
		settings.Values["encoding"] = l.options.user.encoding
	}
	if _, has := settings.Values["keep_parts"]; has && l.options.Given("partial-max-age") {
		settings.Values["partial_max_age"] = config.FormatDuration(l.options.PartialMaxAge)
	}
	if settings.Type == config.LocalType {
		l.options.setLocal(settings.Values)
	}
	return settings, nil
}

// lookup returns the options of a remote without what the flags of a server add to them.
func (l *lazySources) lookup(ctx context.Context, what string) (config.Settings, error) {
	spec, err := config.ParseRemote(what)
	if err != nil {
		return config.Settings{}, flags.Usagef("remote %w", err)
	}
	if err := checkQuotes(spec); err != nil {
		return config.Settings{}, err
	}
	if spec.Name != "" && l.config == nil {
		if err := l.open(ctx); err != nil {
			return config.Settings{}, err
		}
	}
	settings, err := config.Sources{
		Types: registry.Types(), Bridges: registry.Bridges(), Flags: l.options.Backend, Env: config.ParseEnviron(l.env), File: l.file,
		Placeholders: l.options.user.placeholders(),
	}.Resolve(spec)
	if err != nil {
		return config.Settings{}, flags.Usagef("%w", err)
	}
	return settings, nil
}

// checkQuotes refuses a URL that was cut off at its colon, which rclone's grammar takes for the end
// of the options.
func checkQuotes(spec config.Remote) error {
	for key, value := range spec.Params {
		if (value == "http" || value == "https") && strings.HasPrefix(spec.Path, "//") {
			return flags.Usagef("remote option %s: a value with a colon in it must be in quotes, as in ':%s,%s=\"%s://host\":path'",
				key, cmp.Or(spec.Type, "type"), key, value)
		}
	}
	return nil
}

func (l *lazySources) open(ctx context.Context) error {
	console := l.console(l.options)
	f, err := console.Open(ctx)
	if err != nil {
		return err
	}
	l.config = f
	if err := console.CheckExists(f); err != nil {
		return err
	}
	if f.Path() != "" && !f.Exists() {
		level := slog.LevelInfo
		if l.options.Config.Path.Given {
			level = slog.LevelWarn
		}
		l.log.Log(ctx, level, "there is no configuration file", "path", f.Path())
	}
	l.file, err = f.Document(ctx)
	return err
}

// update sets an option where it stands in the configuration file: see registry.Environment.
func (l *lazySources) update(ctx context.Context, section, option string, change func(current string) (string, error)) error {
	return l.config.Update(ctx, section, option, change)
}

// setLocal lets the flags of this program that concern local directories count.
func (o *options) setLocal(values map[string]string) {
	if o.Given("copy-links") {
		values["copy_links"] = strconv.FormatBool(o.CopyLinks)
	}
	if o.Given("min-free-space") {
		values["min_free_space"] = o.MinFreeSpace.String()
	}
	if o.Given("require-mount") {
		values["require_mount"] = strconv.FormatBool(o.RequireMount)
	}
	if o.Given("partial-max-age") {
		values["partial_max_age"] = config.FormatDuration(o.PartialMaxAge)
	}
}
