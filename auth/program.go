package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Program is an Authenticator that asks a program, by the protocol of rclone's auth proxy: user,
// pass and client_ip as JSON on its standard input; the back end of the user as JSON on its
// standard output. A status other than 0 refuses the login, and so does an empty answer. The Grant
// has a Backend.
type Program struct {
	asker *asker
	args  []string
}

// NewProgram returns the Authenticator for a program and its arguments, which are separated by
// white space; there is no quoting. It is an error if there is no such program.
func NewProgram(command string, o AskOptions) (*Program, error) {
	args := strings.Fields(command)
	if len(args) == 0 {
		return nil, errors.New("no program is named")
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		return nil, fmt.Errorf("%w: give the path of a program that may be run", err)
	}
	p := &Program{args: args}
	p.asker = newAsker("auth program "+args[0], o, true, p.run)
	return p, nil
}

// Authenticate asks the program, unless it answered the same login a short time ago. An error that
// is not ErrDenied names the program.
func (p *Program) Authenticate(ctx context.Context, l Login) (Identity, error) {
	return p.asker.authenticate(ctx, l)
}

// waitForPipes is how long a program that was killed may keep its output open, by processes of its
// own that escaped.
const waitForPipes = time.Second

// run runs the program once.
func (p *Program) run(ctx context.Context, l Login) (Identity, error) {
	question, err := rcloneQuestion(l)
	if err != nil {
		return Identity{}, err
	}
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	killAll(cmd)
	cmd.WaitDelay = waitForPipes
	var out, complaint limitedBuffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &out, &complaint
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Identity{}, context.Cause(ctx)
	case out.full:
		return Identity{}, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	case errors.As(err, &exit) && refuses(exit.ExitCode()):
		return Identity{}, fmt.Errorf("%w: %w%s", ErrDenied, err, said(complaint.kept.String(), l))
	case err != nil:
		return Identity{}, fmt.Errorf("%w%s", err, said(complaint.kept.String(), l))
	case blank(out.kept.Bytes()):
		return Identity{}, fmt.Errorf("%w: the program answered nothing", ErrDenied)
	}
	return parseRclone(l.User, out.kept.Bytes())
}

// refuses reports whether a status is an answer. A program that was killed has none, and a shell
// ends with 126 or 127 if it cannot run what it should.
func refuses(status int) bool { return status > 0 && status != 126 && status != 127 }

// said returns the last line that a program wrote to its standard error, without the password.
func said(text string, l Login) string {
	if l.Password != "" {
		text = strings.ReplaceAll(text, l.Password, "***")
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return ""
	}
	if runes := []rune(last); len(runes) > 200 {
		last = string(runes[:200]) + "..."
	}
	return fmt.Sprintf(": it says %q", last)
}

// A limitedBuffer keeps maxAnswer bytes. Its reader is cut off behind them.
type limitedBuffer struct {
	kept bytes.Buffer
	full bool
}

// Write keeps p, or fails if it is too much.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxAnswer {
		b.full = true
		return 0, io.ErrShortWrite
	}
	return b.kept.Write(p)
}
