package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// countCalls counts the system calls of each server per small file, up and down, in a session that
// is logged in.
func (b *bench) countCalls(ctx context.Context, res *results) {
	if _, err := exec.LookPath("strace"); err != nil {
		b.log.Warn("system calls not counted", "err", err)
		return
	}
	for _, s := range b.servers {
		c, err := b.callsOf(ctx, s)
		if err != nil {
			b.log.Warn("system calls not counted", "server", s.name, "err", err)
			continue
		}
		b.log.Info("counted", "server", s.name, "up", c.up.total(), "down", c.down.total())
		res.calls = append(res.calls, c)
	}
}

func (b *bench) callsOf(ctx context.Context, s server) (calls, error) {
	in, err := b.start(ctx, s, launch{})
	if err != nil {
		return calls{}, err
	}
	defer in.tree.stop()
	c, err := in.session()
	if err != nil {
		return calls{}, err
	}
	defer c.conn.Close()
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	all := calls{server: s.name}
	up := func(i int) error { return c.stor(fmt.Sprintf("up/file-%05d.dat", i), body) }
	down := func(i int) error { return c.retr(smallName(i), int64(len(body))) }
	if err := errors.Join(up(0), down(0)); err != nil {
		return calls{}, err
	}
	if all.up, err = b.traced(ctx, in, func(i int) error { return up(i + 1) }); err != nil {
		return calls{}, err
	}
	if all.down, err = b.traced(ctx, in, down); err != nil {
		return calls{}, err
	}
	return all, b.clearUploads()
}

// traced attaches strace to the server while work is done for each of the files.
func (b *bench) traced(ctx context.Context, in *instance, work func(i int) error) (callCount, error) {
	pids, err := in.tree.pids()
	if err != nil {
		return nil, err
	}
	out := filepath.Join(b.state, "strace.txt")
	args := []string{"-f", "-c", "-o", out}
	for _, pid := range pids {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	cmd := exec.CommandContext(ctx, "strace", args...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if !until(ctx, 10*time.Second, in.tree.traced) {
		err = errors.New("strace did not attach")
	}
	for i := 0; i < b.scale.straceFiles && err == nil; i++ {
		err = work(i)
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // it then prints the summary
	_ = cmd.Wait()                         // and ends by that signal
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return parseSummary(string(text), b.scale.straceFiles)
}
