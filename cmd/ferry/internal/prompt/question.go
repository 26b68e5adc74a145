package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// ErrInterrupted is the answer of who types Ctrl-C, or Ctrl-D, or sends a signal.
var ErrInterrupted = errors.New("interrupted")

// Ask reads a line from the terminal without showing it. A signal ends it, and leaves the terminal
// as it was.
func (p Prompt) Ask(ctx context.Context, question string) (string, error) {
	if p.Terminal() == nil {
		return "", errors.New("there is no terminal to ask for a password on")
	}
	return p.Question(ctx, question, true)
}

// AskTwice asks for a new password until it was typed the same way twice. An empty one is not asked
// for again.
func (p Prompt) AskTwice(ctx context.Context, question string) (string, error) {
	for {
		first, err := p.Ask(ctx, question)
		if err != nil || first == "" {
			return "", err
		}
		second, err := p.Ask(ctx, "Again: ")
		if err != nil || first == second {
			return first, err
		}
		fmt.Fprintln(p.Stderr, "These are two different passwords.")
	}
}

// Question asks for a line of any length: what is pasted may be longer than a terminal takes as a
// line. A hidden one is not shown. It ends with ctx and with a signal, reads nothing of what is
// typed after the line, and leaves the terminal as it was.
func (p Prompt) Question(ctx context.Context, question string, hidden bool) (string, error) {
	tty := p.Terminal()
	if tty == nil {
		return "", errors.New("there is no terminal to ask on")
	}
	if p.Catch != nil {
		p.Catch()
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	reader, err := cancelreader.NewReader(tty)
	if err != nil {
		return "", err
	}
	defer reader.Close()
	fd := int(tty.Fd())
	state, err := term.MakeRaw(fd) // before the question: the terminal shows what is typed until then
	if err != nil {
		return "", err
	}
	defer func() {
		_ = term.Restore(fd, state)
		fmt.Fprintln(p.Stderr)
	}()
	fmt.Fprint(p.Stderr, strings.ReplaceAll(question, "\n", "\r\n"))
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
		case <-p.Signals:
		case <-ended:
			return
		}
		reader.Cancel()
	}()
	e := &editor{in: reader, echo: p.Stderr}
	if hidden {
		e.echo = io.Discard
	}
	line, err := e.read()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, cancelreader.ErrCanceled):
		err = ErrInterrupted
	}
	return line, err
}

// The keys of an editor.
const (
	keyInterrupt = 3   // Ctrl-C
	keyEnd       = 4   // Ctrl-D
	keyClear     = 21  // Ctrl-U
	keyEscape    = 27  // begins what arrows send, and what is around a text that is pasted
	keyBack      = 8   // Ctrl-H
	keyDelete    = 127 // what the key above Enter sends
)

// maxLine bounds a line.
const maxLine = 1 << 20

// An editor reads a line from a terminal that does nothing by itself.
type editor struct {
	in   io.Reader
	echo io.Writer
	line []byte
}

func (e *editor) read() (string, error) {
	for len(e.line) < maxLine {
		key, err := e.key()
		if err != nil {
			return "", err
		}
		switch {
		case key == '\r' || key == '\n':
			return string(e.line), nil
		case key == keyInterrupt || key == keyEnd && len(e.line) == 0:
			return "", ErrInterrupted
		case key == keyBack || key == keyDelete:
			e.erase(1)
		case key == keyClear:
			e.erase(len(e.line))
		case key == keyEscape:
			if err := e.skip(); err != nil {
				return "", err
			}
		case key >= ' ':
			e.line = append(e.line, key)
			_, _ = e.echo.Write([]byte{key}) // who does not see it reads it in the result
		}
	}
	return "", errors.New("the line is too long")
}

// key returns the next byte; none behind it is read.
func (e *editor) key() (byte, error) {
	var b [1]byte
	for {
		n, err := e.in.Read(b[:])
		if n > 0 {
			return b[0], nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// erase removes up to n characters from the end of the line.
func (e *editor) erase(n int) {
	for ; n > 0 && len(e.line) > 0; n-- {
		_, size := utf8.DecodeLastRune(e.line)
		e.line = e.line[:len(e.line)-size]
		_, _ = io.WriteString(e.echo, "\b \b") // as above
	}
}

// skip reads the rest of a sequence that begins with escape: [ or O, and up to a letter or ~.
func (e *editor) skip() error {
	key, err := e.key()
	if err != nil || key != '[' && key != 'O' {
		return err
	}
	for {
		key, err := e.key()
		if err != nil || key >= '@' && key <= '~' {
			return err
		}
	}
}
