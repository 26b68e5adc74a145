package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ferry/remote"
)

// A checker tries what a remote can do and tells of each step how it went and how long it took.
type checker struct {
	remote   remote.Remote
	out      io.Writer
	readOnly bool // try nothing that changes it
	failed   int
}

// probeSize is large enough for a range in the middle and small enough for any line.
const probeSize = 64 << 10

var (
	errCheckFailed = errors.New("not everything works; see above")
	errNotTheSame  = errors.New("what was read is not what was written")
)

// run tries everything; a remote that can be changed gets a file with a random name, which is removed again.
func (c *checker) run(ctx context.Context) error {
	fmt.Fprintf(c.out, "%s\n", c.remote.Info().Name)
	if !c.step("reach", func() (string, error) { return c.reach(ctx) }) {
		return errCheckFailed
	}
	c.step("list", func() (string, error) { return c.list(ctx) })
	if !c.readOnly && !c.remote.Info().Caps.ReadOnly {
		c.change(ctx)
	}
	c.step("free space", func() (string, error) { return c.usage(ctx) })
	if c.failed > 0 {
		return errCheckFailed
	}
	return nil
}

// step runs one step and reports whether it worked. What the remote cannot do by its nature is not a failure.
func (c *checker) step(what string, do func() (string, error)) bool {
	start := time.Now()
	detail, err := do()
	took := time.Since(start).Round(100 * time.Microsecond)
	switch {
	case errors.Is(err, remote.ErrUnsupported):
		fmt.Fprintf(c.out, "  %-12s -       not offered by this remote\n", what)
	case err != nil:
		c.failed++
		fmt.Fprintf(c.out, "  %-12s FAILED  %v  %s\n", what, took, oneLine(err.Error()))
	default:
		fmt.Fprintf(c.out, "  %-12s ok      %v  %s\n", what, took, detail)
	}
	return err == nil || errors.Is(err, remote.ErrUnsupported)
}

func (c *checker) reach(ctx context.Context) (string, error) {
	e, err := c.remote.Stat(ctx, ".")
	if err == nil && !e.Dir {
		err = remote.ErrNotDir
	}
	if err != nil {
		err = adviseRoot(err)
	}
	return "", err
}

// maxListed keeps the listing of a huge directory short.
const maxListed = 1000

func (c *checker) list(ctx context.Context) (string, error) {
	n := 0
	for _, err := range c.remote.List(ctx, ".") {
		if err != nil {
			return "", err
		}
		if n++; n == maxListed {
			return fmt.Sprintf("%d entries and more", n), nil
		}
	}
	return fmt.Sprintf("%d entries", n), nil
}

// change writes a probe and does to it what clients do to files.
func (c *checker) change(ctx context.Context) {
	content := make([]byte, probeSize)
	rand.Read(content)
	name := "ferry-check-" + rand.Text()[:10]
	if !c.step("write", func() (string, error) {
		_, err := c.remote.Put(ctx, name, bytes.NewReader(content), remote.PutOptions{Size: probeSize})
		return fmt.Sprintf("%d KiB", probeSize>>10), err
	}) {
		return
	}
	c.step("read", func() (string, error) { return "", c.same(ctx, name, content, 0, -1) })
	c.step("range", func() (string, error) { return "", c.same(ctx, name, content[1000:3000], 1000, 2000) })
	c.step("overwrite", func() (string, error) {
		if _, err := c.remote.Put(ctx, name, bytes.NewReader(content[1:]), remote.PutOptions{}); err != nil {
			return "", err
		}
		return "", c.same(ctx, name, content[1:], 0, -1)
	})
	c.step("modtime", func() (string, error) { return c.modTime(ctx, name) })
	moved := name
	if c.step("move", func() (string, error) { return "", remote.Move(ctx, c.remote, name, name+"-moved") }) {
		moved += "-moved"
		if _, err := c.remote.Stat(ctx, moved); err != nil {
			moved = name // the remote cannot move
		}
	}
	c.step("continue", func() (string, error) { return c.append(ctx, moved, content) })
	c.step("remove", func() (string, error) { return "", c.remote.Remove(ctx, moved) })
}

// same reads n bytes from off on and compares them.
func (c *checker) same(ctx context.Context, name string, want []byte, off, n int64) error {
	r, err := c.remote.Open(ctx, name, off, n)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, probeSize+1))
	if err == nil && !bytes.Equal(got, want) {
		err = errNotTheSame
	}
	return err
}

func (c *checker) modTime(ctx context.Context, name string) (string, error) {
	want := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := remote.SetModTime(ctx, c.remote, name, want); err != nil {
		return "", err
	}
	e, err := c.remote.Stat(ctx, name)
	if err == nil && !e.ModTime.Equal(want) {
		err = fmt.Errorf("it was set to %s and is %s", want.Format(time.RFC3339), e.ModTime.UTC().Format(time.RFC3339))
	}
	return "kept to " + c.remote.Info().Caps.ModTime.String(), err
}

// append continues the file, as APPE and REST with STOR do.
func (c *checker) append(ctx context.Context, name string, content []byte) (string, error) {
	stager, ok := remote.AsStager(c.remote)
	if !ok {
		return "", remote.ErrUnsupported
	}
	s, err := stager.Stage(ctx, name, remote.StageOptions{Owner: "check", Base: remote.BaseFile, Off: remote.AtEnd})
	if err != nil {
		return "", err
	}
	defer s.Discard()
	if _, err := s.Write(content[:1]); err != nil {
		return "", err
	}
	if _, err := s.Publish(ctx, time.Time{}); err != nil {
		return "", err
	}
	return "APPE and REST with STOR need no cache", c.same(ctx, name, append(content[1:len(content):len(content)], content[0]), 0, -1)
}

func (c *checker) usage(ctx context.Context) (string, error) {
	u, err := remote.GetUsage(ctx, c.remote)
	if err == nil && u.Free < 0 {
		err = remote.ErrUnsupported
	}
	return fmt.Sprintf("%d MiB", u.Free>>20), err
}

const checkLong = `Connect to a remote and try what ferry needs of it, with the time of each step.

A file with a random name is written, read, changed, moved and removed again. --read-only leaves that out.`

// onDriver opens the driver of what for a command that has the flags of check, and calls do.
func (p process) onDriver(cmd *cobra.Command, o *options, what string, do func(r remote.Remote) error) error {
	if err := checkConfigPath(cmd.Flags()); err != nil {
		return err
	}
	if err := resolveFlags(cmd.Flags(), checkFlags(), p.env); err != nil {
		return err
	}
	o.given = cmd.Flags().Changed
	log, closeLog, err := o.log.open(p.stderr)
	if err != nil {
		return err
	}
	defer closeLog()
	p.warnOfVariables(log)
	r, err := p.openDriver(cmd.Context(), o, what, log, 0)
	if err != nil {
		return explainRoot(what, err)
	}
	defer r.Close()
	return do(r)
}

func (p process) checkCommand(o *options) *cobra.Command {
	readOnly := false
	cmd := &cobra.Command{
		Use:     "check remote:path",
		Short:   "Connect to a remote and say what works",
		Long:    checkLong,
		Example: "  ferry check nas:backup",
		Args:    wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onDriver(cmd, o, args[0], func(r remote.Remote) error {
				return (&checker{remote: r, out: p.stdout, readOnly: readOnly}).run(cmd.Context())
			})
		},
	}
	addFlags(cmd.Flags(), networkFlags(), o)
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "Change nothing")
	addBackendFlags(cmd.Flags(), o)
	return cmd
}

func checkFlags() []flag { return slices.Concat(networkFlags(), configFlags(), loggingFlags()) }
