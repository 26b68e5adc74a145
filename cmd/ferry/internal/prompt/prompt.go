// Package prompt asks whoever runs a command for what must not be among its arguments.
package prompt

import (
	"bufio"
	"errors"
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
