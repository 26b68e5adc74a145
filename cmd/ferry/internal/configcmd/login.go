package configcmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/oauth2"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/login"
	"ferry/config"
	"ferry/registry"
	"ferry/registry/tokens"
)

const reconnectLong = `Log in to the remote of a cloud drive anew, and write the token to the configuration file. A server that uses
the remote finds it there: it need not be started again.

The browser of this machine opens; where there is none, a link is shown, and what comes of it on another machine is pasted.`

func (c *Console) configReconnectCommand() *cobra.Command {
	var w loginWay
	cmd := &cobra.Command{
		Use:     "reconnect name:",
		Short:   "Log in to a remote anew",
		Long:    reconnectLong,
		Example: "  ferry config reconnect drive:\n  ferry config reconnect drive: --no-browser\n  ferry config reconnect onedrive: --device",
		Args:    flags.Args(1, maxArgs),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			settings, err := parseSettings(args[1:])
			if err == nil {
				settings, _, err = w.take(settings)
			}
			if err != nil {
				return err
			}
			if len(settings) > 0 {
				return flags.Usagef("option %s: set it by ferry config update", settings[0].key)
			}
			return c.logIn(cmd.Context(), f, remoteName(args[0]), w)
		}),
	}
	w.addFlags(cmd)
	return cmd
}

func (c *Console) configDisconnectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "disconnect name:",
		Short: "Forget the login of a remote",
		Long: "Remove the token of a login from the configuration file. The provider knows it until its access is withdrawn there, or\n" +
			"it ends.",
		Args: flags.Args(1, 1),
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
			name := remoteName(args[0])
			return editRemote(cmd, f, name, func(d *config.Draft) error {
				if !d.DeleteKey(name, "token") {
					fmt.Fprintf(c.Stderr, "ferry: remote %q has no token\n", name) // and fine: so it is afterwards
				}
				return nil
			})
		}),
	}
}

// loginOf returns the login of a remote of the file.
func (c *Console) loginOf(ctx context.Context, f *config.File, name string) (registry.Login, error) {
	d, err := f.Document(ctx)
	if err != nil {
		return registry.Login{}, err
	}
	if !d.Has(name) {
		return registry.Login{}, noSection(name)
	}
	set, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges(), Env: config.ParseEnviron(c.Env), File: d}.Resolve(config.Remote{Name: name})
	if err != nil {
		return registry.Login{}, err
	}
	l, ok := registry.LoginOf(set)
	if !ok {
		return registry.Login{}, fmt.Errorf("remote %q: its type %s has no login: its options say who it is used as", name, set.Type)
	}
	return l, nil
}

// logIn has somebody log in to a remote of the file, and writes what comes of it.
func (c *Console) logIn(ctx context.Context, f *config.File, name string, w loginWay) error {
	l, err := c.loginOf(ctx, f, name)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	token, err := c.token(ctx, l, w, client, "ferry authorize "+authorizeArgs(f, name, l))
	if err != nil {
		return fmt.Errorf("remote %q: %w", name, err)
	}
	if err := f.Update(ctx, name, "token", func(string) (string, error) { return tokens.Format(token), nil }); err != nil {
		return err
	}
	if c.overruled(f, name) {
		fmt.Fprintf(c.Stderr, "ferry: warning: %s is set, and goes before the token in the file: unset it\n", config.RemoteVariable(name, "token"))
	}
	if l, err = c.loginOf(ctx, f, name); err != nil {
		return err
	}
	if err := c.choose(ctx, f, name, l, client, token); err != nil {
		return fmt.Errorf("remote %q is logged in to, but what it is about is not known: %w", name, err)
	}
	fmt.Fprintf(c.Stderr, "ferry: remote %q is logged in to\n", name)
	return nil
}

// overruled reports whether the environment has a token for the remote.
func (c *Console) overruled(f *config.File, name string) bool {
	_, set := config.ParseEnviron(c.Env)[config.RemoteVariable(name, "token")]
	return set && f.Path() != ""
}

// authorizeArgs are the arguments of the command that logs in elsewhere.
func authorizeArgs(f *config.File, name string, l registry.Login) string {
	d, _ := f.Document(context.Background()) // it has just been read
	typ, _ := d.Get(name, "type")
	settings := map[string]string{"client_id": l.Config.ClientID, "client_secret": l.Config.ClientSecret}
	for _, key := range []string{"scope", "access_scopes", "tenant", "region", "auth_url", "token_url"} {
		if v, ok := d.Get(name, key); ok && v != "" {
			settings[key] = v
		}
	}
	return fmt.Sprintf("%q %s", typ, login.Blob(settings))
}

// token returns the token of a login.
func (c *Console) token(ctx context.Context, l registry.Login, w loginWay, client *http.Client, remote string) (*oauth2.Token, error) {
	if w.token != "" {
		return login.ReadToken(w.token)
	}
	if l.Advice != "" {
		return nil, errors.New("no login without an OAuth client: " + l.Advice)
	}
	o := login.Options{
		Config: l.Config, Params: l.Params, HTTP: client, Elsewhere: w.noBrowser, Remote: remote,
		Say: func(format string, args ...any) { fmt.Fprintf(c.Stderr, format+"\n", args...) },
	}
	if c.Terminal() != nil {
		o.Ask = func(ctx context.Context, question string) (string, error) { return c.Question(ctx, question, true) }
	}
	switch {
	case w.device && !l.Device:
		return nil, errors.New("the provider has no codes for devices for this login: log in without --device")
	case w.device:
		return login.Device(ctx, o)
	case !w.noBrowser:
		o.Browse = login.Browser(c.variable)
	}
	return login.Run(ctx, o)
}

func (c *Console) variable(name string) string { return config.ParseEnviron(c.Env)[name] }

// client returns what reaches providers, as the variables of the flags for connections say.
func (c *Console) client() (*http.Client, error) {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Add(fs, flags.Network(c.Flags))
	if err := flags.Resolve(fs, c.Env, flags.Network(c.Flags)); err != nil {
		return nil, err
	}
	net, err := c.Flags.Network.Options()
	if err != nil {
		return nil, flags.Usagef("%w", err)
	}
	transport := net.Transport(1)
	transport.DisableKeepAlives = true // there are few requests
	return &http.Client{Transport: transport}, nil
}

// choose asks what of several things a remote shall be about, and writes it.
func (c *Console) choose(ctx context.Context, f *config.File, name string, l registry.Login, client *http.Client, token *oauth2.Token) error {
	as := &http.Client{Transport: &oauth2.Transport{Base: client.Transport, Source: oauth2.StaticTokenSource(token)}}
	choice, err := l.Choose(ctx, as)
	if err != nil || len(choice.Answers) == 0 {
		return err
	}
	answer := choice.Answers[0]
	if len(choice.Answers) > 1 {
		if answer, err = c.pick(ctx, choice); err != nil {
			return err
		}
	}
	return f.Edit(ctx, func(d *config.Draft) error {
		for key, value := range answer.Set {
			if value == "" {
				d.DeleteKey(name, key)
				continue
			}
			if err := d.Set(name, key, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// pick has one of several answers picked; where nobody can be asked it is the first.
func (c *Console) pick(ctx context.Context, choice registry.Choice) (registry.Answer, error) {
	var b strings.Builder
	fmt.Fprintln(&b, choice.Question)
	for i, a := range choice.Answers {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, printable(a.Text))
	}
	fmt.Fprint(c.Stderr, b.String())
	if c.Terminal() == nil {
		fmt.Fprintln(c.Stderr, "ferry: the first is taken: ferry config update sets another")
		return choice.Answers[0], nil
	}
	for {
		text, err := c.Question(ctx, "Number [1]: ", false)
		if err != nil {
			return registry.Answer{}, err
		}
		if text == "" {
			text = "1"
		}
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n >= 1 && n <= len(choice.Answers) {
			return choice.Answers[n-1], nil
		}
		fmt.Fprintf(c.Stderr, "A number from 1 to %d is wanted.\n", len(choice.Answers))
	}
}

// printable keeps what others have named from doing something to the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
