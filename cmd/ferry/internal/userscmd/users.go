// Package userscmd has the commands that show and change the file of users.
package userscmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/prompt"
	"ferry/serve/quota"
	"ferry/serve/users"
)

// A Console is where the commands run: what they get from the process, and the flags.
type Console struct {
	prompt.Prompt
	Env    []string // KEY=value
	Stdout io.Writer
	Flags  *flags.Options

	// CheckRemote returns why a remote of the file cannot be used, as far as that shows without
	// connecting.
	CheckRemote func(ctx context.Context, remote string) error

	// Usage returns where it is kept what users have stored, until done is called; Scan counts what
	// one has.
	Usage func(ctx context.Context) (store *quota.Store, done func(), err error)
	Scan  func(ctx context.Context, u users.User) (quota.Usage, error)
}

const usersLong = `Show and change the file of users: who may log in, what each of them sees, may do and may use up.

The file is that of --users, else what --server-config names, or that itself if the users are in it, else users.toml in the
current directory. Changes keep its comments and order. A running ferry notices them within seconds, those of
--server-config on SIGHUP. doc/users.md has every key of the file.`

const usersExample = `  ferry users add camera-1 remote=/srv/ftp/{user} create_home=true permissions./=drop-box
  ferry users add ann remote=s3:bucket/ann quota_bytes=10G
  ferry serve ftp --users users.toml`

// Command returns ferry users.
func (c *Console) Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "users",
		Short:   "Show and change the file of users",
		Long:    usersLong,
		Example: usersExample,
		Args:    flags.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags.Add(cmd.PersistentFlags(), flags.Users(c.Flags))
	cmd.AddCommand(
		c.addCommand(), c.passwdCommand(), c.rmCommand(),
		c.lsCommand(), c.checkCommand(), c.explainCommand(), c.usageCommand(), c.hashCommand(),
		c.importCommand(),
	)
	return cmd
}
