package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/auth"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/serverconfig"
	"ferry/ftp"
	"ferry/serve/users"
)

const configCheckLong = `Look for mistakes in the file of --server-config, and in what it names: the users, certificates, files of rules,
programs of hooks, and remotes, which are looked up in the configuration, and not connected to. Each mistake is printed with its line.

Flags and variables count as they would for "ferry serve ftp". "ferry doctor" tries besides what works.`

// configCheckCommand is part of ferry config, and about what serve ftp reads.
func (p process) configCheckCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check [file]",
		Short:   "Look for mistakes in a server configuration",
		Long:    configCheckLong,
		Example: "  ferry config check /etc/ferry/ferry.toml",
		Args:    flags.Args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if err := cmd.Flags().Set("server-config", args[0]); err != nil {
					return err
				}
			}
			faults, err := p.checkConfig(cmd.Context(), cmd.Flags(), o)
			if err != nil {
				return err
			}
			for _, fault := range faults {
				fmt.Fprintln(p.stdout, fault)
			}
			if len(faults) > 0 {
				return fmt.Errorf("%s has mistakes: %d", o.ServerConfig, len(faults))
			}
			return nil
		},
	}
	addServeFlags(cmd, o)
	return cmd
}

// addServeFlags adds the flags of serve ftp to a command that is about them, hidden from its help
// but for the file of them all.
func addServeFlags(cmd *cobra.Command, o *options) {
	of := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.Add(of, flags.Serve(&o.Options)...)
	flags.AddOfTypes(of, &o.Options)
	of.VisitAll(func(f *pflag.Flag) {
		f.Hidden = f.Name != "server-config"
		if cmd.Flags().Lookup(f.Name) == nil {
			cmd.Flags().AddFlag(f)
		}
	})
}

// checkConfig returns all that is wrong with what the flags, variables and the file say. The error
// is that of somebody who has named no file, or a flag that there is not.
func (p process) checkConfig(ctx context.Context, fs *pflag.FlagSet, o *options) ([]string, error) {
	named, err := flags.Sources{Env: p.env}.Resolve(fs, flags.ServerConfig(&o.Options))
	if err != nil {
		return nil, err
	}
	if o.ServerConfig == "" {
		return nil, flags.Usagef("which file? write ferry config check ferry.toml")
	}
	faults := &serverconfig.Faults{}
	o.file, err = serverconfig.Read(o.ServerConfig)
	faults.Note(err)
	if o.file == nil {
		return faults.List(), nil
	}
	if err := p.setFlags(fs, o, named); err != nil {
		faults.Note(err)
		return faults.List(), nil
	}
	faults.Origins = o.origins
	p.lookAround(ctx, o, nil, faults)
	return faults.List(), nil
}

// lookAround notes what is wrong with flags that are set, and with what they name.
func (p process) lookAround(ctx context.Context, o *options, args []string, faults *serverconfig.Faults) {
	faults.Note(o.Check())
	_, err := p.parseFilter(&o.Filter)
	faults.Note(err)
	_, err = o.Network.Options()
	faults.Note(err)
	p.checkFiles(o, faults)
	sources := &lazySources{process: p, options: o, log: slog.New(slog.DiscardHandler)}
	what, err := whatToServe(o, args)
	if err == nil && what != nothing {
		_, err = sources.lookup(ctx, what)
	}
	if err != nil && o.file != nil && len(args) == 0 && what == o.file.Remote && what != "" {
		faults.NoteAt(fmt.Sprintf("%s:%d", o.file.Name, o.file.Line), err)
	} else {
		faults.Note(err)
	}
	lookup := func(key, text string) error {
		if key != "remote" {
			return nil
		}
		_, err := sources.lookup(ctx, users.Sample(text))
		return err
	}
	own := (*users.File)(nil)
	if o.Users != "" {
		own, err = users.Read(o.Users)
		if err != nil && len(users.Errors(err)) == 0 {
			err = fmt.Errorf("--users: %w", err)
		}
		faults.Note(err)
	} else if o.file != nil {
		own = o.file.Users
	}
	if own != nil {
		faults.Note(own.Check(lookup))
	}
	faults.Note(o.checkOwnHooks())
}

// checkFiles notes which files cannot be used that flags name.
func (p process) checkFiles(o *options, faults *serverconfig.Faults) {
	for i, cert := range o.Cert {
		if i < len(o.Key) {
			if _, err := ftp.LoadCertificate(cert, o.Key[i]); err != nil {
				faults.Notef("cert", "%w", err)
			}
		}
	}
	if o.RC.Cert != "" && o.RC.Key != "" {
		if _, err := ftp.LoadCertificate(o.RC.Cert, o.RC.Key); err != nil {
			faults.Notef("rc-cert", "%w", err)
		}
	}
	if len(o.ACME.Names) > 0 {
		_, err := o.acmeOptions(slog.New(slog.DiscardHandler))
		faults.Note(err)
	}
	if o.ClientCA != "" {
		_, err := o.clientCAs()
		faults.Note(err)
	}
	for name, file := range map[string]string{"htpasswd": o.Auth.Htpasswd, "rc-htpasswd": o.RC.Htpasswd} {
		if file != "" {
			if _, err := auth.NewHtpasswd(file, o.verifier()); err != nil {
				faults.Notef(name, "%w", err)
			}
		}
	}
	if o.Auth.Passwd != "" {
		if _, err := auth.NewPasswd(o.Auth.Passwd, o.verifier()); err != nil {
			faults.Notef("passwd", "%w", err)
		}
	}
	if o.Auth.Proxy != "" {
		if _, err := auth.NewProgram(o.Auth.Proxy, auth.AskOptions{}); err != nil {
			faults.Notef("auth-proxy", "%w", err)
		}
	}
	for name, file := range map[string]string{"log-file": o.Log.File, "auth-log": o.Defence.AuthLog} {
		if file == "" {
			continue
		}
		if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
			faults.Notef(name, "%w", errors.Join(err, fmt.Errorf("%s is no directory: make it", filepath.Dir(file))))
		}
	}
}

// extendConfigShow lets ferry config show tell of a server configuration, where one is named.
func (p process) extendConfigShow(show *cobra.Command, o *options) {
	addServeFlags(show, o)
	own, asJSON, server := show.RunE, false, false
	show.Flags().BoolVar(&asJSON, "json", false, "Print JSON, of a server configuration")
	show.Flags().BoolVar(&server, "server", false, "Show all flags of ferry serve ftp, and where each value comes from; so does --server-config")
	show.RunE = func(cmd *cobra.Command, args []string) error {
		if !server && !p.isOfServer(cmd, args) {
			if asJSON {
				return flags.Usagef("--json is for a server configuration: name one by --server-config, or see ferry config dump")
			}
			return own(cmd, args)
		}
		return p.showConfig(cmd, o, args, asJSON)
	}
}

// isOfServer reports whether a command names a file of flags, or gives one of them.
func (p process) isOfServer(cmd *cobra.Command, args []string) bool {
	is := false
	o := &flags.Options{}
	for _, g := range flags.Serve(o) {
		for _, row := range g.Flags {
			is = is || cmd.Flags().Changed(row.Key())
		}
	}
	if is || len(args) > 0 {
		return is
	}
	set := pflag.NewFlagSet("server", pflag.ContinueOnError)
	flags.Add(set, flags.ServerConfig(o))
	return flags.Resolve(set, p.env, flags.ServerConfig(o)) == nil && o.ServerConfig != ""
}

// showConfig prints what holds, and where each value comes from.
func (p process) showConfig(cmd *cobra.Command, o *options, args []string, asJSON bool) error {
	if err := p.readFlags(cmd.Flags(), o); err != nil {
		return p.told(o.ServerConfig, err)
	}
	served, from := "", flags.Origin{By: flags.ByFlag}
	switch {
	case len(args) == 1:
		served = args[0]
	case o.file != nil && o.file.Remote != "":
		served, from = o.file.Remote, flags.Origin{By: flags.ByFile, Name: fmt.Sprintf("%s:%d", o.file.Name, o.file.Line)}
	}
	all := serverconfig.Show(served, from, flags.All(&o.Options), o.origins)
	if asJSON {
		return serverconfig.WriteJSON(p.stdout, all)
	}
	if err := serverconfig.WriteTOML(p.stdout, all); err != nil {
		return err
	}
	return p.showUsers(o)
}

// showUsers says where the users are, of whom ferry users tells.
func (p process) showUsers(o *options) error {
	if o.file == nil || o.file.Users == nil {
		return nil
	}
	_, err := io.WriteString(p.stdout, fmt.Sprintf("\n# users: %d in %s\n", len(o.file.Users.Names()), o.file.Name))
	return err
}
