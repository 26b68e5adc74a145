package configcmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// terminal returns the terminal that this process reads from, nil if it does not.
func (c *Console) terminal() *os.File {
	if f, ok := c.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// configPrompt returns what asks for the password of the configuration file, nil where nobody can
// or may be asked.
func (c *Console) configPrompt() func(context.Context, bool) (string, error) {
	if !c.Flags.Config.AskPassword || c.terminal() == nil {
		return nil
	}
	return func(ctx context.Context, wrong bool) (string, error) {
		if wrong {
			fmt.Fprintln(c.Stderr, "This password does not open the configuration.")
		}
		return c.ask(ctx, "Configuration password: ")
	}
}

// ask reads a line from the terminal without showing it. A signal ends it.
func (c *Console) ask(ctx context.Context, question string) (string, error) {
	tty := c.terminal()
	if tty == nil {
		return "", errors.New("there is no terminal to ask for a password on: give it in RCLONE_CONFIG_PASS or by --password-command")
	}
	state, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	fmt.Fprint(c.Stderr, question)
	defer fmt.Fprintln(c.Stderr)
	go func() { // reads until a line comes; the process ends before it if there is none
		line, err := term.ReadPassword(int(tty.Fd()))
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return string(a.line), a.err
	case <-c.Signals:
		err = errors.New("interrupted")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return "", errors.Join(err, term.Restore(int(tty.Fd()), state))
}

// askTwice asks for a new password until it was typed the same way twice.
func (c *Console) askTwice(ctx context.Context) (string, error) {
	for {
		first, err := c.ask(ctx, "New configuration password: ")
		if err != nil {
			return "", err
		}
		second, err := c.ask(ctx, "Again: ")
		if err != nil || first == second {
			return first, err
		}
		fmt.Fprintln(c.Stderr, "These are two different passwords.")
	}
}
