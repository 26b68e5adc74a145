package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/configcmd"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/serverconfig"
	"ferry/serve/users"
)

// resolve gives all flags of a command that has those of serve ftp their values: those of the
// command line, of variables and of the file that --server-config names. It returns what is to be
// served.
func (p process) resolve(fs *pflag.FlagSet, o *options, args []string) (what string, err error) {
	if err := p.readFlags(fs, o); err != nil {
		return "", err
	}
	if err := o.Check(); err != nil {
		return "", err
	}
	return whatToServe(o, args)
}

// readFlags is resolve without a look at what the values mean together.
func (p process) readFlags(fs *pflag.FlagSet, o *options) error {
	if err := configcmd.CheckPath(fs); err != nil {
		return err
	}
	named, err := flags.Sources{Env: p.env}.Resolve(fs, flags.ServerConfig(&o.Options))
	if err != nil {
		return err
	}
	if o.ServerConfig != "" {
		if o.file, err = serverconfig.Read(o.ServerConfig); err != nil {
			return err
		}
	}
	return p.setFlags(fs, o, named)
}

// setFlags sets all flags, from o.file too. named is where that was named.
func (p process) setFlags(fs *pflag.FlagSet, o *options, named map[string]flags.Origin) (err error) {
	sources := flags.Sources{Env: p.env}
	if o.file != nil {
		sources.File = o.file.Said
		o.UsersThere = o.file.Users != nil
	}
	if o.origins, err = sources.Resolve(fs, flags.All(&o.Options)...); err != nil {
		return err
	}
	for name, origin := range named {
		o.origins[name] = origin
	}
	if o.origins["config"].By == flags.ByFile {
		if err := configcmd.CheckPath(fs); err != nil {
			return err
		}
	}
	o.Given = fs.Changed
	o.places = places.Of(o.CacheDir, p.env)
	return nil
}

// whatToServe returns the remote of the command line, else that of the file of flags, or nothing
// where only those of users are served. It notes that of users who have none of their own.
func whatToServe(o *options, args []string) (string, error) {
	if len(args) == 0 && o.file != nil && o.file.Remote != "" {
		args = []string{o.file.Remote}
	}
	switch {
	case len(args) == 1 && o.HasUsers() && users.HasPlaceholder(args[0]):
		o.userRemote = args[0]
		return nothing, nil
	case len(args) == 1:
		o.userRemote = args[0]
		return args[0], nil
	case o.HasUsers():
		return nothing, nil
	}
	return "", flags.Usagef("what to serve is missing: name a directory or remote:path, as in ferry serve ftp .")
}

// told prints each mistake of a file of flags, and returns an error that counts them. Other errors
// it leaves.
func (p process) told(path string, err error) error {
	list := users.Errors(err)
	switch len(list) {
	case 0:
		return err
	case 1:
		return flags.Usagef("%w", err)
	}
	for _, e := range list {
		fmt.Fprintln(p.stderr, e)
	}
	return flags.Usagef("%s has %d mistakes", path, len(list))
}
