package configcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/registry"
)

// maxArgs bounds the arguments of the commands that set options.
const maxArgs = 256

const settingsHelp = `Options are KEY=VALUE or KEY VALUE. A password is obscured, unless it looks as if it were
already: it does when it has 22 or more characters, all of them letters, digits, - and _. Where that may be wrong, say
--obscure or --no-obscure.

Where the remote is logged in to, ferry does so then: see ferry config reconnect. Of rclone's answers to questions,
config_is_local=false, config_refresh_token=false and config_token=TOKEN are understood.`

func (c *Console) configCreateCommand() *cobra.Command {
	var w settingWriter
	cmd := &cobra.Command{
		Use:     "create name type [key=value]...",
		Short:   "Add a remote, or replace the one of that name",
		Long:    "Add a remote to the configuration file, or replace the one of that name.\n\n" + settingsHelp,
		Example: "  ferry config create nas sftp host=nas.example.org user=bob pass=secret",
		Args:    flags.Args(2, maxArgs),
		RunE: c.withNewConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name, typ := remoteName(args[0]), args[1]
			if _, err := (config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}).Type(typ); err != nil {
				return flags.Usagef("%w", err)
			}
			settings, want, err := w.parse(args[2:])
			if err != nil {
				return err
			}
			err = f.Edit(cmd.Context(), func(d *config.Draft) error {
				d.DeleteSection(name)
				return w.write(d, name, append([]setting{{"type", typ}}, settings...))
			})
			if err != nil {
				return err
			}
			return c.after(cmd, f, name, w, want)
		}),
	}
	w.addFlags(cmd)
	return cmd
}

func (c *Console) configUpdateCommand() *cobra.Command {
	var w settingWriter
	cmd := &cobra.Command{
		Use:     "update name [key=value]...",
		Short:   "Change options of a remote",
		Long:    "Change options of a remote in the configuration file.\n\n" + settingsHelp,
		Example: "  ferry config update nas port=2222",
		Args:    flags.Args(1, maxArgs),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name := remoteName(args[0])
			settings, want, err := w.parse(args[1:])
			if err != nil {
				return err
			}
			err = editRemote(cmd, f, name, func(d *config.Draft) error { return w.write(d, name, settings) })
			if err != nil {
				return err
			}
			if want == "" && w.way == (loginWay{}) {
				want = "false" // an option was changed, not who it is used as
			}
			return c.after(cmd, f, name, w, want)
		}),
	}
	w.addFlags(cmd)
	return cmd
}

func (c *Console) configPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "password name key=value...",
		Short:   "Obscure values and set options of a remote to them",
		Long:    "Set options of a remote to values that are obscured first, whatever the options are and the values look like.",
		Example: "  ferry config password nas pass=secret",
		Args:    flags.Args(2, maxArgs),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name := remoteName(args[0])
			settings, err := parseSettings(args[1:])
			if err != nil {
				return err
			}
			for i := range settings {
				settings[i].value = config.Obscure(settings[i].value)
			}
			asTheyAre := settingWriter{noObscure: true}
			return editRemote(cmd, f, name, func(d *config.Draft) error { return asTheyAre.write(d, name, settings) })
		}),
	}
}

func (c *Console) configUnsetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unset name key...",
		Short: "Remove options from a remote",
		Args:  flags.Args(2, maxArgs),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name := remoteName(args[0])
			return editRemote(cmd, f, name, func(d *config.Draft) error {
				for _, key := range args[1:] {
					if key == "type" {
						return flags.Usagef("a remote needs its type: remove it as a whole with ferry config delete %s", name)
					}
					d.DeleteKey(name, key)
				}
				return nil
			})
		}),
	}
}

func (c *Console) configDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "delete name",
		Short: "Remove a remote",
		Args:  flags.Args(1, 1),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name := remoteName(args[0])
			return f.Edit(cmd.Context(), func(d *config.Draft) error {
				if !d.DeleteSection(name) {
					fmt.Fprintln(c.Stderr, "ferry:", noSection(name)) // and fine: it is not there afterwards
				}
				return nil
			})
		}),
	}
}
