package userscmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/serve/access"
	"ferry/serve/users"
)

// maxSettings bounds the arguments of ferry users add.
const maxSettings = 256

const addLong = `Add a user to the file, which is made if it is not there.

The password is asked for twice, or the first line of standard input. None is asked for with auth=remote, auth=none or a
client_cert. Arguments are keys of the file with their values: commas stand between the values of an array, and the path
of permissions and mounts follows a dot.

Keys are `

const addExample = `  ferry users add camera-1 remote=/srv/ftp/{user} create_home=true permissions./=drop-box
  ferry users add ann remote=s3:bucket/ann quota_bytes=10G allow=10.0.0.0/8,192.168.1.7 < password.txt`

// addHelp adds to addLong what there is.
func addHelp() string {
	keys := slices.DeleteFunc(users.Keys(), func(key string) bool { return key == "password" })
	var text strings.Builder
	text.WriteString(addLong)
	column := len("Keys are ")
	for i, key := range keys {
		if i > 0 {
			key = ", " + key
		}
		if column += len(key); column > 110 {
			key, column = ",\n"+strings.TrimPrefix(key, ", "), len(key)
		}
		text.WriteString(key)
	}
	return text.String() + ". doc/users.md says what they mean.\n" +
		"Permissions are verbs, or sets of them: " + strings.Join(access.Sets(), ", ") + "."
}

func (c *Console) addCommand() *cobra.Command {
	var h hashing
	cmd := &cobra.Command{
		Use:     "add name [key=value]...",
		Short:   "Add a user",
		Long:    addHelp(),
		Example: addExample,
		Args:    flags.Args(1, maxSettings),
		RunE: c.withFile(func(cmd *cobra.Command, path string, args []string) error {
			name := args[0]
			if err := users.CheckName(name); err != nil {
				return flags.Usagef("%w", err)
			}
			var settings []users.Setting
			for _, arg := range args[1:] {
				s, err := users.ParseSetting(arg)
				if err != nil {
					return flags.Usagef("%w", err)
				}
				settings = append(settings, s)
			}
			// before a password is asked for, find what does not go together
			if err := c.edit(path, func(e *users.Editor) error { return dryRun(e, name, settings) }); err != nil {
				return err
			}
			if !slices.ContainsFunc(settings, needsNoPassword) {
				hash, err := c.hash(cmd.Context(), h, "Password of "+name+": ")
				if err != nil {
					return err
				}
				settings = append([]users.Setting{{Key: "password", TOML: users.TOMLString(hash)}}, settings...)
			}
			return c.edit(path, func(e *users.Editor) error { return e.Add(name, settings) })
		}),
	}
	h.addFlags(cmd)
	return cmd
}

// dryRun adds a user to what is thrown away.
func dryRun(e *users.Editor, name string, settings []users.Setting) error {
	trial := *e
	return trial.Add(name, settings)
}

// needsNoPassword reports whether a setting says that the user logs in by something else.
func needsNoPassword(s users.Setting) bool {
	return s.Key == "client_cert" || s.Key == "auth" && strings.Trim(s.TOML, `'"`) != string(users.AuthHash)
}

func (c *Console) passwdCommand() *cobra.Command {
	var h hashing
	keep := false
	cmd := &cobra.Command{
		Use:   "passwd name",
		Short: "Set the password of a user",
		Long: `Set the password of a user, which is asked for twice, or the first line of standard input.

It takes the place of those that the user has. With --keep they go on, for devices whose passwords change one by one.`,
		Example: "  ferry users passwd camera-1 < password.txt",
		Args:    flags.Args(1, 1),
		RunE: c.withFile(func(cmd *cobra.Command, path string, args []string) error {
			name := args[0]
			f, err := c.read(path)
			if err != nil {
				return err
			}
			if !slices.Contains(f.Names(), name) {
				return noUser(path, name)
			}
			hash, err := c.hash(cmd.Context(), h, "New password of "+name+": ")
			if err != nil {
				return err
			}
			return c.edit(path, func(e *users.Editor) error { return e.SetPassword(name, hash, keep) })
		}),
	}
	h.addFlags(cmd)
	cmd.Flags().BoolVar(&keep, "keep", false, "Keep the passwords that the user has")
	return cmd
}

func (c *Console) rmCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rm name",
		Short: "Remove a user from the file",
		Long:  "Remove a user from the file, with the comments directly above. Nothing that the user has stored is touched.",
		Args:  flags.Args(1, 1),
		RunE: c.withFile(func(_ *cobra.Command, path string, args []string) error {
			if _, err := c.read(path); err != nil {
				return err
			}
			return c.edit(path, func(e *users.Editor) error { return e.Remove(args[0]) })
		}),
	}
}

func (c *Console) hashCommand() *cobra.Command {
	var h hashing
	cmd := &cobra.Command{
		Use:   "hash",
		Short: "Print the hash of a password",
		Long: `Print the hash of a password, as the file of users has it.

The password is asked for twice, or the first line of standard input.`,
		Example: "  ferry users hash < password.txt",
		Args:    flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hash, err := c.hash(cmd.Context(), h, "Password: ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.Stdout, hash)
			return err
		},
	}
	h.addFlags(cmd)
	return cmd
}
