package configcmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/login"
	"ferry/config"
	"ferry/registry"
	"ferry/registry/tokens"
)

const authorizeLong = `Log in to a cloud drive for a ferry or an rclone on another machine, by the browser of this one, and print the token.
Nothing is written to the configuration of this machine.

The arguments are what the other machine shows: a type, and the settings of the login in one word, or the client_id and the
client_secret of an OAuth client and further settings.`

// Authorize returns ferry authorize.
func (c *Console) Authorize() *cobra.Command {
	var w loginWay
	cmd := &cobra.Command{
		Use:     "authorize type [settings | client_id client_secret [key=value]...]",
		Short:   "Log in to a cloud drive for another machine",
		Long:    authorizeLong,
		Example: "  ferry authorize onedrive ID SECRET",
		Args:    flags.Args(1, maxArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Resolve(cmd.Flags(), c.Env, flags.Config(c.Flags)); err != nil {
				return err
			}
			return c.authorize(cmd, args[0], args[1:], w)
		},
	}
	w.addFlags(cmd)
	return cmd
}

func (c *Console) authorize(cmd *cobra.Command, typ string, args []string, w loginWay) error {
	settings, blob, err := authorizeSettings(args)
	if err != nil {
		return err
	}
	t, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}.Type(typ)
	if err != nil {
		return flags.Usagef("%w", err)
	}
	// It is for a remote of another machine: here is none to set options of.
	set := config.Settings{Name: ":" + t.Name, Type: t.Name, Values: map[string]string{}}
	for _, o := range t.Options {
		set.Values[o.Name] = o.Default
	}
	if _, ok := registry.LoginOf(set); !ok {
		return flags.Usagef("type %s has no login: its options say who it is used as", t.Name)
	}
	for key, value := range settings {
		if _, ok := t.Option(key); !ok {
			return flags.Usagef("type %s has no option %q", t.Name, key)
		}
		set.Values[key] = value
	}
	l, _ := registry.LoginOf(set)
	if l.Advice != "" {
		return flags.Usagef("no login without an OAuth client: %s", l.Advice)
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	token, err := c.token(cmd.Context(), l, w, client, "")
	if err != nil {
		return err
	}
	text := tokens.Format(token)
	if blob {
		text = login.Blob(map[string]string{"token": text})
	}
	fmt.Fprintln(c.Stderr, "Paste this line where the other machine asks for it:")
	_, err = fmt.Fprintln(c.Stdout, text)
	return err
}

// authorizeSettings reads the settings of a login, and reports whether they came in one word.
func authorizeSettings(args []string) (settings map[string]string, blob bool, err error) {
	if len(args) == 1 && !strings.Contains(strings.TrimRight(args[0], "="), "=") {
		if settings, err = login.ReadBlob(args[0]); err != nil {
			return nil, false, errors.New("the settings of the login cannot be read: copy the whole word, or give client_id and client_secret")
		}
		return settings, true, nil
	}
	settings = map[string]string{}
	if len(args) >= 2 && !strings.Contains(args[0], "=") {
		settings["client_id"], settings["client_secret"] = args[0], args[1]
		args = args[2:]
	}
	for _, a := range args {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return nil, false, flags.Usagef("%q is not KEY=VALUE", key)
		}
		settings[key] = value
	}
	return settings, false, nil
}
