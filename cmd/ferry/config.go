package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

const configLong = `Show and change the configuration file, which is that of rclone: both read and write the same one.

It is the file that --config or RCLONE_CONFIG names, else the first that exists of rclone.conf beside the program,
$XDG_CONFIG_HOME/rclone/rclone.conf, ~/.config/rclone/rclone.conf and ~/.rclone.conf.`

func (p process) configCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and change the configuration",
		Long:  configLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		p.configFileCommand(o), p.configTouchCommand(o), p.configShowCommand(o), p.configDumpCommand(o),
		p.configCreateCommand(o), p.configUpdateCommand(o), p.configPasswordCommand(o), p.configUnsetCommand(o), p.configDeleteCommand(o),
		p.configEncryptionCommand(o),
	)
	return cmd
}

func (p process) configFileCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "file",
		Short: "Show the path of the configuration file",
		Args:  flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.Resolve(cmd.Flags(), p.env, flags.Config(&o.Options)); err != nil {
				return err
			}
			path, err := config.FilePath(p.configPath(o)) // the file may be encrypted or broken
			if err != nil {
				return err
			}
			text := "Configuration file is stored at:\n" + path
			if path == "" {
				text = "Configuration is in memory only"
			} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				text = "Configuration file doesn't exist, but ferry will use this path:\n" + path
			}
			_, err = fmt.Fprintln(p.stdout, text)
			return err
		},
	}
}

func (p process) configTouchCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "touch",
		Short: "Make the configuration file if it does not exist",
		Args:  flags.NoArgs,
		RunE: p.withNewConfig(o, func(cmd *cobra.Command, f *config.File, _ []string) error {
			return f.Edit(cmd.Context(), func(*config.Draft) error { return nil })
		}),
	}
}

func (p process) configShowCommand(o *options) *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:   "show [remote]",
		Short: "Show the configuration, or that of one remote, without secrets",
		Args:  flags.Args(0, 1),
		RunE: p.withConfig(o, func(cmd *cobra.Command, f *config.File, args []string) error {
			d, err := f.Document(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return p.showRemote(d, remoteName(args[0]), secrets)
			}
			text := d.Redact()
			if secrets {
				text = d.Bytes()
			}
			if len(text) == 0 {
				text = []byte("; empty config\n")
			}
			_, err = p.stdout.Write(text)
			return err
		}),
	}
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "Show secrets too")
	return cmd
}

// remoteName takes off the colon with which remotes are written elsewhere.
func remoteName(arg string) string { return strings.TrimRight(arg, ":") }

// showRemote prints the options of a remote as they count: its variables go before the file.
func (p process) showRemote(d *config.Document, name string, secrets bool) error {
	if !d.Has(name) {
		return fmt.Errorf("remote %q is not in the configuration file: ferry listremotes shows which there are", name)
	}
	values := p.values(d, name)
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", name)
	for _, key := range d.Keys(name) {
		v := values[key]
		if v != "" && !secrets && config.IsSecret(values["type"], key) {
			v = config.Redacted
		}
		fmt.Fprintf(&b, "%s = %s\n", key, v)
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}

// values returns the options of a section of the file, with their values from the environment where that has them.
func (p process) values(d *config.Document, name string) map[string]string {
	env, values := config.ParseEnviron(p.env), map[string]string{}
	for _, key := range d.Keys(name) {
		v, ok := env[config.RemoteVariable(name, key)]
		if !ok {
			v, _ = d.Get(name, key)
		}
		values[key] = v
	}
	return values
}

func (p process) configDumpCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "dump",
		Short: "Print the configuration as JSON, secrets too",
		Args:  flags.NoArgs,
		RunE: p.withConfig(o, func(cmd *cobra.Command, f *config.File, _ []string) error {
			return p.dumpConfig(cmd.Context(), f)
		}),
	}
}

func (p process) dumpConfig(ctx context.Context, f *config.File) error {
	d, err := f.Document(ctx)
	if err != nil {
		return err
	}
	all := map[string]map[string]string{}
	for _, name := range d.Sections() {
		all[name] = p.values(d, name)
	}
	enc := json.NewEncoder(p.stdout)
	enc.SetIndent("", "    ")
	enc.SetEscapeHTML(false)
	return enc.Encode(all)
}
