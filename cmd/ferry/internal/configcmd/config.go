// Package configcmd has the commands that show and change the configuration file, and opens it for
// the others.
package configcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

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
	Check  func(ctx context.Context, what string) error // tries a remote, and tells what works
}

const configLong = `Show and change the configuration file, which is that of rclone: both read and write the same one. Without a
command, on a terminal, remotes are made and changed by questions.

It is the file that --config or RCLONE_CONFIG names, else the first that exists of rclone.conf beside the program,
$XDG_CONFIG_HOME/rclone/rclone.conf, ~/.config/rclone/rclone.conf and ~/.rclone.conf.`

// Command returns ferry config.
func (c *Console) Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and change the configuration",
		Long:  configLong,
		Args:  flags.NoArgs,
		RunE:  c.withNewConfig(func(cmd *cobra.Command, f *config.File, _ []string) error { return c.runDialogue(cmd, f) }),
	}
	cmd.AddCommand(
		c.configFileCommand(), c.configTouchCommand(), c.configShowCommand(), c.configDumpCommand(),
		c.configCreateCommand(), c.configUpdateCommand(), c.configPasswordCommand(), c.configUnsetCommand(), c.configDeleteCommand(),
		c.configReconnectCommand(), c.configDisconnectCommand(),
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
