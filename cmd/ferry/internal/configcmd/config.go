// Package configcmd has the commands that show and change the configuration file, and opens it for
// the others.
package configcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/prompt"
	"ferry/config"
)

// A Console is where the commands run: what they get from the process, and the flags.
type Console struct {
	prompt.Prompt
	Env    []string // KEY=value
	Stdout io.Writer
	Flags  *flags.Options
}

const configLong = `Show and change the configuration file, which is that of rclone: both read and write the same one.

It is the file that --config or RCLONE_CONFIG names, else the first that exists of rclone.conf beside the program,
$XDG_CONFIG_HOME/rclone/rclone.conf, ~/.config/rclone/rclone.conf and ~/.rclone.conf.`

// Command returns ferry config.
func (c *Console) Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and change the configuration",
		Long:  configLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		c.configFileCommand(), c.configTouchCommand(), c.configShowCommand(), c.configDumpCommand(),
		c.configCreateCommand(), c.configUpdateCommand(), c.configPasswordCommand(), c.configUnsetCommand(), c.configDeleteCommand(),
		c.configEncryptionCommand(),
	)
	return cmd
}

func (c *Console) configFileCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "file",
		Short: "Show the path of the configuration file",
		Args:  flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.Resolve(cmd.Flags(), c.Env, flags.Config(c.Flags)); err != nil {
				return err
			}
			path, err := config.FilePath(c.Path()) // the file may be encrypted or broken
			if err != nil {
				return err
			}
			text := "Configuration file is stored at:\n" + path
			if path == "" {
				text = "Configuration is in memory only"
			} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				text = "Configuration file doesn't exist, but ferry will use this path:\n" + path
			}
			_, err = fmt.Fprintln(c.Stdout, text)
			return err
		},
	}
}

func (c *Console) configTouchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "touch",
		Short: "Make the configuration file if it does not exist",
		Args:  flags.NoArgs,
		RunE: c.withNewConfig(func(cmd *cobra.Command, f *config.File, _ []string) error {
			return f.Edit(cmd.Context(), func(*config.Draft) error { return nil })
		}),
	}
}

func (c *Console) configShowCommand() *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:   "show [remote]",
		Short: "Show the configuration, or that of one remote, without secrets",
		Args:  flags.Args(0, 1),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			d, err := f.Document(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return c.showRemote(d, remoteName(args[0]), secrets)
			}
			text := d.Redact()
			if secrets {
				text = d.Bytes()
			}
			if len(text) == 0 {
				text = []byte("; empty config\n")
			}
			_, err = c.Stdout.Write(text)
			return err
		}),
	}
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "Show secrets too")
	return cmd
}

// remoteName takes off the colon with which remotes are written elsewhere.
func remoteName(arg string) string { return strings.TrimRight(arg, ":") }

// showRemote prints the options of a remote as they count: its variables go before the file.
func (c *Console) showRemote(d *config.Document, name string, secrets bool) error {
	if !d.Has(name) {
		return fmt.Errorf("remote %q is not in the configuration file: ferry listremotes shows which there are", name)
	}
	values := c.values(d, name)
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", name)
	for _, key := range d.Keys(name) {
		v := values[key]
		if v != "" && !secrets && config.IsSecret(values["type"], key) {
			v = config.Redacted
		}
		fmt.Fprintf(&b, "%s = %s\n", key, v)
	}
	_, err := c.Stdout.Write([]byte(b.String()))
	return err
}

// values returns the options of a section of the file, with their values from the environment where
// that has them.
func (c *Console) values(d *config.Document, name string) map[string]string {
	env, values := config.ParseEnviron(c.Env), map[string]string{}
	for _, key := range d.Keys(name) {
		v, ok := env[config.RemoteVariable(name, key)]
		if !ok {
			v, _ = d.Get(name, key)
		}
		values[key] = v
	}
	return values
}

func (c *Console) configDumpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dump",
		Short: "Print the configuration as JSON, secrets too",
		Args:  flags.NoArgs,
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, _ []string) error {
			return c.dumpConfig(cmd.Context(), f)
		}),
	}
}

func (c *Console) dumpConfig(ctx context.Context, f *config.File) error {
	d, err := f.Document(ctx)
	if err != nil {
		return err
	}
	all := map[string]map[string]string{}
	for _, name := range d.Sections() {
		all[name] = c.values(d, name)
	}
	enc := json.NewEncoder(c.Stdout)
	enc.SetIndent("", "    ")
	enc.SetEscapeHTML(false)
	return enc.Encode(all)
}
