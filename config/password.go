package config

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// PasswordVariable is the environment variable that holds the password of an encrypted
// configuration file.
const PasswordVariable = "RCLONE_CONFIG_PASS"

// promptTries is how often Prompt is called for a password.
const promptTries = 3

// Passwords are the sources of the password of an encrypted configuration file: Command, else
// PasswordVariable in Env, else Prompt. Only the first that is set is tried. The zero value has no
// password.
type Passwords struct {
	// Command prints the password, see --password-command. Line ends around it are trimmed.
	Command []string
	// Env is the environment of the process and of Command.
	Env    Environ
	Stdin  io.Reader // of Command
	Stderr io.Writer // of Command
	// Prompt asks the user. It is called again, with wrong set, after a wrong password.
	Prompt func(ctx context.Context, wrong bool) (string, error)
}

// ParseCommand splits a command line at single spaces. An argument with spaces is quoted with "; a
// literal " is doubled.
func ParseCommand(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma = ' '
	args, err := r.Read()
	if err != nil {
		return nil, errors.New(`not a command: separate its arguments by one space, and quote with "" those that hold spaces`)
	}
	return args, nil
}

// unlock decrypts box with the passwords, one after the other, until one is right.
func (p *Passwords) unlock(ctx context.Context, box []byte) (*fileKey, []byte, error) {
	if len(p.Command) > 0 {
		password, err := p.run(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("--password-command: %w", err)
		}
		return tryPassword(password, box, "--password-command")
	}
	if password := p.Env[PasswordVariable]; password != "" {
		return tryPassword(password, box, PasswordVariable)
	}
	if p.Prompt == nil {
		return nil, nil, errors.New("the file is encrypted: give its password in " + PasswordVariable + " or by --password-command")
	}
	for try := 0; ; try++ {
		password, err := p.Prompt(ctx, try > 0)
		if err != nil {
			return nil, nil, err
		}
		key, plain, err := tryPassword(password, box, "what was typed")
		if err == nil || try+1 == promptTries {
			return key, plain, err
		}
	}
}

func tryPassword(password string, box []byte, from string) (*fileKey, []byte, error) {
	key, err := newFileKey(password)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	plain, err := key.open(box)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from, err)
	}
	return key, plain, nil
}

// NewPassword returns the new password that Command prints when the password of a file is changed.
// Command gets RCLONE_PASSWORD_CHANGE=1 in its environment.
func (p Passwords) NewPassword(ctx context.Context) (string, error) {
	p.Env = p.Env.with("RCLONE_PASSWORD_CHANGE", "1")
	password, err := p.run(ctx)
	if err != nil {
		return "", fmt.Errorf("--password-command: %w", err)
	}
	return password, nil
}

// run returns the output of Command.
func (p *Passwords) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	cmd.Env = p.Env.list()
	cmd.Stdin, cmd.Stderr = p.Stdin, p.Stderr
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	password := string(bytes.Trim(out, "\r\n"))
	if password == "" {
		return "", errors.New("it printed nothing")
	}
	return password, nil
}
