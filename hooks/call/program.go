package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// waitForPipes is how long a program that has ended may keep its output open, by processes of its
// own that go on.
const waitForPipes = time.Second

// mostLines is how much of what a program writes to its standard error gets into the log.
const mostLines = 50

// CheckProgram returns why a program cannot be run.
func CheckProgram(name string) error {
	_, err := exec.LookPath(name)
	if err == nil {
		return nil
	}
	if !strings.ContainsRune(name, filepath.Separator) {
		return fmt.Errorf("there is no program %s in PATH: give its whole path", name)
	}
	switch info, found := os.Stat(name); {
	case errors.Is(found, fs.ErrNotExist):
		return fmt.Errorf("there is no program %s: give the path of one that is there", name)
	case found != nil:
		return fmt.Errorf("%w: give the path of a program that may be run", found)
	case info.IsDir():
		return fmt.Errorf("%s is a directory: give the path of a program in it", name)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x %s", name, name)
	}
	return fmt.Errorf("%w: give the path of a program that this user may run", err)
}

// run runs the program with a message.
func (c *Caller) run(ctx context.Context, messages []Message) (Answer, error) {
	m := messages[0]
	question, _, err := c.body(messages)
	if err != nil {
		return Answer{}, failed("%s: %v", c, err)
	}
	args := c.o.Program[1:]
	if c.o.Env == "pure-ftpd" {
		args = append(args[:len(args):len(args)], localName(m))
	}
	cmd := exec.CommandContext(ctx, c.o.Program[0], args...)
	killGroup(cmd)
	cmd.WaitDelay = waitForPipes
	cmd.Env = c.environ(m)
	if m.File != nil {
		cmd.ExtraFiles = []*os.File{m.File}
	}
	var out, complaint bounded
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &out, &complaint
	err = cmd.Run()
	c.logOutput(ctx, m, "stderr", complaint.kept)
	answer := answerOf(out.kept, false)
	if answer.Message == "" && answer.Path == "" {
		c.logOutput(ctx, m, "stdout", out.kept)
	}
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it ended well, and left processes behind
		return answer, nil
	case !errors.As(err, &exit):
		return Answer{}, failed("%s: %v", c, err)
	}
	if len(answer.Body) == 0 {
		answer.Body = complaint.kept
	}
	bad := failed("%s: %v%s", c, err, firstLine(answer))
	bad.Answer = answer
	// A program that was killed gives no answer, and a shell ends with 126 or 127 if it cannot run
	// what it should.
	status := exit.ExitCode()
	bad.Refused = status > 0 && status != 126 && status != 127
	return Answer{}, bad
}

// logOutput logs what a program writes, by lines.
func (c *Caller) logOutput(ctx context.Context, m Message, stream string, text []byte) {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range lines {
		switch {
		case i == mostLines:
			c.o.Log.LogAttrs(ctx, slog.LevelInfo, "hook: and more lines", slog.String("hook", c.o.Hook), slog.Int("lines", len(lines)-i))
			return
		case strings.TrimSpace(line) != "":
			c.o.Log.LogAttrs(ctx, slog.LevelInfo, "hook: "+strings.TrimSpace(line),
				slog.String("hook", c.o.Hook), slog.String("id", m.Event.ID), slog.String("stream", stream))
		}
	}
}
