// Package prompt asks whoever runs a command for what must not be among its arguments.
package prompt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A Prompt is where questions are asked.
type Prompt struct {
	Stdin   io.Reader
	Stderr  io.Writer
	Signals <-chan os.Signal // end a question
	Catch   func()           // has Signals come; nil = they do
}

// Terminal returns the terminal that this process reads from, nil if it does not.
func (p Prompt) Terminal() *os.File {
	if f, ok := p.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// Ask reads a line from the terminal without showing it. A signal ends it, and leaves the terminal
// as it was.
func (p Prompt) Ask(ctx context.Context, question string) (string, error) {
	tty := p.Terminal()
	if tty == nil {
		return "", errors.New("there is no terminal to ask for a password on")
	}
	if p.Catch != nil {
		p.Catch()
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	fd := int(tty.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	fmt.Fprint(p.Stderr, question)
	defer fmt.Fprintln(p.Stderr)
	go func() { // reads until a line comes; the process ends before it if there is none
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return string(a.line), a.err
	case <-p.Signals:
		err = errors.New("interrupted")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return "", errors.Join(err, term.Restore(fd, state))
}

// AskTwice asks for a new password until it was typed the same way twice.
func (p Prompt) AskTwice(ctx context.Context, question string) (string, error) {
	for {
		first, err := p.Ask(ctx, question)
		if err != nil {
			return "", err
		}
		second, err := p.Ask(ctx, "Again: ")
		if err != nil || first == second {
			return first, err
		}
		fmt.Fprintln(p.Stderr, "These are two different passwords.")
	}
}

// Line returns the first line of standard input without its end.
func (p Prompt) Line() (string, error) {
	if p.Stdin == nil {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 1<<20)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
