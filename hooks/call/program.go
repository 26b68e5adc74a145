package call

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"
)

// waitForPipes is how long a program that has ended may keep its output open, by processes of its
// own that go on.
const waitForPipes = time.Second

// mostLines is how much of what a program writes to its standard error gets into the log.
const mostLines = 50

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
