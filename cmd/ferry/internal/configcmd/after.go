package configcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"ferry/config"
)

// parse reads settings from arguments, and what they say of a login.
func (w *settingWriter) parse(args []string) (settings []setting, want string, err error) {
	if settings, err = parseSettings(args); err != nil {
		return nil, "", err
	}
	return w.way.take(settings)
}

// after has somebody log in to a remote that was written, where it is logged in to, and shows the
// remote. want is whether there shall be a login, "" where that is not said.
func (c *Console) after(cmd *cobra.Command, f *config.File, name string, w settingWriter, want string) error {
	if err := c.logInAfter(cmd, f, name, w, want); err != nil || w.noOutput {
		return err
	}
	return c.showChanged(cmd, f, name)
}

func (c *Console) logInAfter(cmd *cobra.Command, f *config.File, name string, w settingWriter, want string) error {
	l, err := c.loginOf(cmd.Context(), f, name)
	switch {
	case err != nil || w.noLogin || want == "false" || l.Optional && want == "": // showChanged tells what is wrong
		return nil
	case want == "" && w.way == (loginWay{}) && c.hasToken(cmd, f, name):
		return nil
	case w.way.token == "" && want == "" && (c.Terminal() == nil && !w.way.device || l.Advice != ""):
		after := ""
		if l.Advice != "" {
			after = l.Advice + ", then "
		}
		fmt.Fprintf(c.Stderr, "ferry: remote %q is not logged in to: %slog in by \"ferry config reconnect %s:\"\n", name, after, name)
		return nil
	}
	return c.logIn(cmd.Context(), f, name, w.way)
}

// hasToken reports whether a remote is logged in to.
func (c *Console) hasToken(cmd *cobra.Command, f *config.File, name string) bool {
	d, err := f.Document(cmd.Context())
	if err != nil {
		return false
	}
	return c.values(d, name)["token"] != ""
}
