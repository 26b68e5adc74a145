package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/configcmd"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/remote"
)

// A checker tries what a remote can do and tells of each step how it went and how long it took.
type checker struct {
	remote   remote.Remote
	out      io.Writer
	readOnly bool               // try nothing that changes it
	told     func(step checked) // is told of each step in place of out; nil = out is
	failed   int
	broken   bool // out takes nothing more
	buckets  bool // the remote holds buckets, and no files
}

// probeSize is large enough for a range in the middle and small enough for any line.
const probeSize = 64 << 10

var (
	errCheckFailed = errors.New("not everything works; see above")
	errNotTheSame  = errors.New("what was read is not what was written")
	errOnlyBuckets = errors.New("only buckets are here: check one of them, as in s3:bucket")
	errNobodyReads = errors.New("nobody reads the output: the check was given up, and what it had written removed")
	errInterrupted = errors.New("interrupted")
)

// A checked is a step of a check and what came of it.
type checked struct {
	what   string
	took   time.Duration
	detail string
	err    error // remote.ErrUnsupported and errOnlyBuckets are no failures
}

const movedSuffix = "-moved"

// run tries everything; a remote that can be changed gets a file with a random name, which is
// removed again.
func (c *checker) run(ctx context.Context) error {
	c.print("%s\n", c.remote.Info().Name)
	if !c.step(ctx, "reach", func() (string, error) { return c.reach(ctx) }) {
		return errCheckFailed
	}
	c.step(ctx, "list", func() (string, error) { return c.list(ctx) })
	c.step(ctx, "changes", func() (string, error) { return c.watch(ctx) })
	if !c.readOnly && !c.remote.Info().Caps.ReadOnly {
		c.change(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.broken:
		return errNobodyReads
	}
	c.step(ctx, "free space", func() (string, error) { return c.usage(ctx) })
	if c.failed > 0 {
		return errCheckFailed
	}
	return nil
}

// step runs one step and reports whether it worked. What the remote cannot do by its nature is not
// a failure.
func (c *checker) step(ctx context.Context, what string, do func() (string, error)) bool {
	if c.broken || ctx.Err() != nil {
		return false
	}
	start := time.Now()
	detail, err := do()
	took := time.Since(start).Round(100 * time.Microsecond)
	switch {
	case c.told != nil:
		if err != nil && err != errOnlyBuckets && !errors.Is(err, remote.ErrUnsupported) {
			c.failed++
		}
		c.told(checked{what, took, detail, err})
	case err == errOnlyBuckets:
		c.print("  %-12s -       %v\n", what, err)
	case errors.Is(err, remote.ErrUnsupported):
		why, withOption := "", notStored{}
		if errors.As(err, &withOption) {
			why = ": " + oneLine(withOption.Error())
		}
		c.print("  %-12s -       not offered by this remote%s\n", what, why)
	case err != nil:
		c.failed++
		c.print("  %-12s FAILED  %v  %s\n", what, took, oneLine(err.Error()))
	default:
		c.print("  %-12s ok      %v  %s\n", what, took, detail)
	}
	return err == nil || err == errOnlyBuckets || errors.Is(err, remote.ErrUnsupported)
}

func (c *checker) reach(ctx context.Context) (string, error) {
	e, err := c.remote.Stat(ctx, ".")
	if err == nil && !e.Dir {
		err = remote.ErrNotDir
	}
	if err != nil {
		err = adviseRoot("", err)
	}
	return "", err
}

// A notStored is why a remote stores nothing that can be changed: an option of it, see meta_format
// of chunker.
type notStored struct{ error }

func (e notStored) Unwrap() error { return e.error }

// maxListed keeps the listing of a huge directory short.
const maxListed = 1000

// list tells also of what is there and cannot be shown: all of it, where the password of a remote
// is wrong.
func (c *checker) list(ctx context.Context) (string, error) {
	n, more := 0, ""
	var left omitted
	for _, err := range c.remote.List(remote.WithOmitted(ctx, left.add), ".") {
		if err != nil {
			return "", err
		}
		if n++; n == maxListed {
			more = " and more"
			break
		}
	}
	return fmt.Sprintf("%d entries%s%s", n, more, left.String()), nil
}

// omitted are the entries that a listing leaves out.
type omitted struct {
	mu     sync.Mutex
	names  map[string]struct{} // as a listing may be repeated; guarded by mu
	first  string              // guarded by mu
	reason string              // of the first; guarded by mu
}

func (o *omitted) add(entry, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.names) == 0 {
		o.names, o.first, o.reason = map[string]struct{}{}, entry, reason
	}
	o.names[entry] = struct{}{}
}

// String is empty if nothing is left out.
func (o *omitted) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.names) == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d left out, the first %.80q: %s", len(o.names), o.first, o.reason)
}

// change writes a probe and does to it what clients do to files.
func (c *checker) change(ctx context.Context) {
	content := make([]byte, probeSize)
	rand.Read(content)
	name := "ferry-check-" + rand.Text()[:10]
	left := true
	defer func() {
		if left {
			c.discard(ctx, name)
		}
	}()
	if !c.step(ctx, "write", func() (string, error) {
		_, err := c.remote.Put(ctx, name, bytes.NewReader(content), remote.PutOptions{Size: probeSize})
		switch {
		case errors.Is(err, remote.ErrIsDir):
			left, c.buckets = false, true
			err = errOnlyBuckets
		case errors.Is(err, remote.ErrUnsupported):
			left = false
			err = notStored{err}
		}
		return fmt.Sprintf("%d KiB", probeSize>>10), err
	}) || !left {
		return
	}
	c.step(ctx, "read", func() (string, error) { return "", c.same(ctx, name, content, 0, -1) })
	c.step(ctx, "range", func() (string, error) { return "", c.same(ctx, name, content[1000:3000], 1000, 2000) })
	c.step(ctx, "overwrite", func() (string, error) {
		if _, err := c.remote.Put(ctx, name, bytes.NewReader(content[1:]), remote.PutOptions{}); err != nil {
			return "", err
		}
		return "", c.same(ctx, name, content[1:], 0, -1)
	})
	c.step(ctx, "checksums", func() (string, error) { return c.hashes(ctx, name) })
	c.step(ctx, "modtime", func() (string, error) { return c.modTime(ctx, name) })
	moved := name
	if c.step(ctx, "move", func() (string, error) { return "", remote.Move(ctx, c.remote, name, name+movedSuffix) }) {
		moved += movedSuffix
		if _, err := c.remote.Stat(ctx, moved); err != nil {
			moved = name // the remote cannot move
		}
	}
	c.step(ctx, "continue", func() (string, error) { return c.append(ctx, moved, content) })
	c.step(ctx, "move dir", func() (string, error) { return "", c.moveDir(ctx, name) })
	left = !c.step(ctx, "remove", func() (string, error) { return "", c.remote.Remove(ctx, moved) })
}

const checkLong = `Connect to a remote and try what ferry needs of it, with the time of each step.

A file with a random name is written, read, changed, moved and removed again. --read-only leaves that out.`

// onDriver opens the driver of what for a command that has the flags of check, and calls do.
func (p process) onDriver(cmd *cobra.Command, o *options, what string, do func(ctx context.Context, r remote.Remote) error) error {
	if err := configcmd.CheckPath(cmd.Flags()); err != nil {
		return err
	}
	if err := flags.Resolve(cmd.Flags(), p.env, flags.Network(&o.Options), flags.Config(&o.Options), flags.Logging(&o.Options)); err != nil {
		return err
	}
	o.Given = cmd.Flags().Changed
	log, logFile, err := logging.Open(&o.Log, p.stderr)
	if err != nil {
		return err
	}
	defer logFile.Close()
	p.warnOfVariables(log)
	ctx, release := p.interruptible(cmd.Context())
	defer release()
	return p.whileOpen(ctx, o, what, log, do)
}

// checkNow is ferry check of what, for a command that has not its flags.
func (p process) checkNow(ctx context.Context, o *options, what string) error {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Add(fs, flags.Network(&o.Options))
	if err := flags.Resolve(fs, p.env, flags.Network(&o.Options)); err != nil {
		return err
	}
	o.Given = fs.Changed
	log, logFile, err := logging.Open(&o.Log, p.stderr)
	if err != nil {
		return err
	}
	defer logFile.Close()
	ctx, release := p.interruptible(ctx)
	defer release()
	return p.whileOpen(ctx, o, what, log, func(ctx context.Context, r remote.Remote) error {
		return (&checker{remote: r, out: p.stdout}).run(ctx)
	})
}

// whileOpen calls do with the driver of what, and closes that.
func (p process) whileOpen(ctx context.Context, o *options, what string, log *slog.Logger, do func(ctx context.Context, r remote.Remote) error) error {
	r, err := p.openDriver(ctx, o, what, log, 0)
	if err != nil {
		return explainRoot(what, err)
	}
	defer r.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	running, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { keepRunning(running, r, log) })
	return do(ctx, r)
}

// interruptible returns a context that ends on a signal to stop. Until the caller calls release, an
// output that nobody reads is an error of writing, and does not end the process.
func (p process) interruptible(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	p.catch()
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-p.signals:
				cancel(errInterrupted)
			case <-done:
				return
			}
		}
	})
	return ctx, func() {
		close(done)
		wg.Wait()
		signal.Stop(pipes)
		cancel(nil)
	}
}

func (p process) checkCommand(o *options) *cobra.Command {
	readOnly := false
	cmd := &cobra.Command{
		Use:     "check remote:path",
		Short:   "Connect to a remote and say what works",
		Long:    checkLong,
		Example: "  ferry check nas:backup",
		Args:    flags.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onDriver(cmd, o, args[0], func(ctx context.Context, r remote.Remote) error {
				return (&checker{remote: r, out: p.stdout, readOnly: readOnly}).run(ctx)
			})
		},
	}
	flags.Add(cmd.Flags(), flags.Network(&o.Options))
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "Change nothing")
	flags.AddOfTypes(cmd.Flags(), &o.Options)
	return cmd
}
