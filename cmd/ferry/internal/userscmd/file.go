package userscmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ferry/auth"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/serverconfig"
	"ferry/serve/users"
)

// defaultFile is the file that is used unless one is named.
const defaultFile = "users.toml"

// withFile returns what a command runs that knows the file: run, after the flags are resolved.
func (c *Console) withFile(run func(cmd *cobra.Command, path string, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := flags.Resolve(cmd.Flags(), c.Env, flags.Users(c.Flags), flags.Config(c.Flags)); err != nil {
			return err
		}
		c.followServerConfig()
		path := cmp.Or(c.Flags.Users, c.Flags.ServerConfig, defaultFile)
		err := run(cmd, path, args)
		if errors.Is(err, fs.ErrNotExist) && path == defaultFile {
			return flags.Usagef("%w: name the file of users by --users or FERRY_USERS", err)
		}
		return err
	}
}

// followServerConfig takes the file of users from that of all flags, if it is named there. What is
// wrong with that is not for these commands to say.
func (c *Console) followServerConfig() {
	if c.Flags.Users != "" || c.Flags.ServerConfig == "" {
		return
	}
	if f, _ := serverconfig.Read(c.Flags.ServerConfig); f != nil && len(f.Said["users"].Texts) > 0 {
		c.Flags.Users = f.Said["users"].Texts[0]
	}
}

// form is that of the file that withFile has found: the users may be in the file of all flags.
func (c *Console) form() users.Form {
	if c.Flags.Users == "" && c.Flags.ServerConfig != "" {
		return users.Among
	}
	return users.Alone
}

// read reads the file, of which every mistake is printed.
func (c *Console) read(path string) (*users.File, error) {
	f, err := c.form().Read(path)
	return f, c.told(path, err)
}

// told prints each mistake of a file, and returns an error that counts them. Other errors it
// leaves.
func (c *Console) told(path string, err error) error {
	list := users.Errors(err)
	if len(list) < 2 {
		return err
	}
	for _, e := range list {
		fmt.Fprintln(c.Stderr, e)
	}
	return fmt.Errorf("%s has %d mistakes", path, len(list))
}

// edit changes the file.
func (c *Console) edit(path string, change func(*users.Editor) error) error {
	return c.told(path, c.form().Edit(path, change))
}

// A hashing says how hashes are made.
type hashing struct{ algorithm, cost string }

func (h *hashing) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&h.algorithm, "algo", auth.DefaultAlgorithm, "How the hash is made: "+strings.Join(auth.Algorithms(), ", "))
	cmd.Flags().StringVar(&h.cost, "cost", "normal", "How long that takes, for whoever guesses too: normal or high")
}

// hash asks for a new password, twice on a terminal, else as the first line of standard input, and
// returns its hash.
func (c *Console) hash(ctx context.Context, h hashing, question string) (string, error) {
	if !slices.Contains(auth.Algorithms(), h.algorithm) || h.cost != "normal" && h.cost != "high" {
		_, err := auth.NewHash(h.algorithm, h.cost, "x")
		return "", flags.Usagef("%w", err)
	}
	password, err := "", error(nil)
	if c.Terminal() != nil {
		password, err = c.AskTwice(ctx, question)
	} else {
		password, err = c.Line()
	}
	if err != nil {
		return "", err
	}
	if password == "" {
		return "", errors.New("there is no password: type one, or give it as the first line of standard input")
	}
	hash, err := auth.NewHash(h.algorithm, h.cost, password)
	if err != nil {
		return "", flags.Usagef("%w", err)
	}
	return hash, nil
}
