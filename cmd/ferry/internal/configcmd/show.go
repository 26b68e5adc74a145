package configcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

func (c *Console) configShowCommand() *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:   "show [remote]",
		Short: "Show the configuration, or that of one remote, without secrets",
		Long: `Show the configuration file of the remotes, or one remote of it, without secrets.

With --server-config, --server, or a flag of "ferry serve ftp", show all flags of that command instead: what holds, and
where it was said. The argument is what would be served then.`,
		Example: "  ferry config show nas\n  ferry config show --server-config /etc/ferry/ferry.toml",
		Args:    flags.Args(0, 1),
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
