package configcmd

import (
	"context"
	"errors"
	"fmt"
)

// configPrompt returns what asks for the password of the configuration file, nil where nobody can
// or may be asked.
func (c *Console) configPrompt() func(context.Context, bool) (string, error) {
	if !c.Flags.Config.AskPassword || c.Terminal() == nil {
		return nil
	}
	return func(ctx context.Context, wrong bool) (string, error) {
		if wrong {
			fmt.Fprintln(c.Stderr, "This password does not open the configuration.")
		}
		return c.Ask(ctx, "Configuration password: ")
	}
}

// newPassword asks for a new password of the configuration file.
func (c *Console) newPassword(ctx context.Context) (string, error) {
	if c.Terminal() == nil {
		return "", errors.New("there is no terminal to ask for a password on: give it in RCLONE_CONFIG_PASS or by --password-command")
	}
	return c.AskTwice(ctx, "New configuration password: ")
}
