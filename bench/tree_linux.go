package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A tree is a server: the process that was started and every process that came of it.
type tree struct {
	cmd   *exec.Cmd
	group string // control group that holds the tree; "" when none could be made
	ended chan struct{}
	kill  sync.Once
}

// startTree runs cmd in a control group of its own, or in a process group where it may not make
// one.
func startTree(cmd *exec.Cmd, name string) (*tree, error) {
	t := &tree{cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	group, err := makeGroup(fmt.Sprintf("ferry-bench-%d-%s", os.Getpid(), name))
	if err == nil {
		dir, err := os.Open(group)
		if err != nil {
			return nil, err
		}
		defer dir.Close()
		t.group = group
		cmd.SysProcAttr.UseCgroupFD = true
		cmd.SysProcAttr.CgroupFD = int(dir.Fd())
	}
	if err := cmd.Start(); err != nil {
		t.removeGroup()
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended does not matter: what it said is in its log
		close(t.ended)
	}()
	return t, nil
}

// makeGroup makes a control group (version 2) below the one this process is in.
func makeGroup(name string) (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[2] != "cgroup2" {
			continue
		}
		for line := range strings.Lines(string(own)) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				dir := filepath.Join(f[1], path, name)
				return dir, os.Mkdir(dir, 0o755)
			}
		}
	}
	return "", errors.ErrUnsupported
}

// removeGroup waits for the last process of the group to be gone.
func (t *tree) removeGroup() {
	if t.group == "" {
		return
	}
	for range 500 {
		if err := os.Remove(t.group); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop kills every process of the tree. It may be called more than once.
func (t *tree) stop() {
	t.kill.Do(func() {
		if t.group != "" {
			_ = os.WriteFile(filepath.Join(t.group, "cgroup.kill"), []byte("1"), 0)
		}
		_ = syscall.Kill(-t.cmd.Process.Pid, syscall.SIGKILL) // where there is no group, or no cgroup.kill in it
		<-t.ended
		t.removeGroup()
	})
}

// cpu is the user and system time of the tree so far.
func (t *tree) cpu() (time.Duration, error) {
	if t.group != "" {
		stat, err := os.ReadFile(filepath.Join(t.group, "cpu.stat"))
		if err != nil {
			return 0, err
		}
		return groupCPU(string(stat))
	}
	pids, err := t.pids()
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // ended meanwhile: its parent's figure has it
		}
		p, err := parseStat(string(stat))
		if err != nil {
			return 0, err
		}
		sum += p.cpu
	}
	return sum, nil
}

// pids lists the processes of the tree.
func (t *tree) pids() ([]int, error) {
	if t.group == "" {
		return descendants(t.cmd.Process.Pid)
	}
	text, err := os.ReadFile(filepath.Join(t.group, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, f := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// pss is the proportional set size of the tree in bytes: a page that n processes share counts one
// n-th in each.
func (t *tree) pss() (int64, error) {
	return t.fold("smaps_rollup", "Pss:", func(a, b int64) int64 { return a + b })
}

// peakRSS is the largest resident set that a living process of the tree ever had, in bytes.
func (t *tree) peakRSS() (int64, error) {
	return t.fold("status", "VmHWM:", func(a, b int64) int64 { return max(a, b) })
}

// rss is the largest resident set of a living process of the tree, in bytes.
func (t *tree) rss() (int64, error) {
	return t.fold("status", "VmRSS:", func(a, b int64) int64 { return max(a, b) })
}

// fold combines one field of /proc/PID/file, in kB there, over the tree.
func (t *tree) fold(file, field string, f func(a, b int64) int64) (int64, error) {
	pids, err := t.pids()
	if err != nil {
		return 0, err
	}
	var all int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			continue // ended meanwhile
		}
		if kb, ok := procField(string(text), field); ok {
			all = f(all, kb<<10)
		}
	}
	if all == 0 {
		return 0, fmt.Errorf("no process with %s in /proc/PID/%s", field, file)
	}
	return all, nil
}

// traced reports whether every thread of the tree has a tracer.
func (t *tree) traced() bool {
	pids, err := t.pids()
	if err != nil {
		return false
	}
	for _, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil {
			return false
		}
		for _, task := range tasks {
			text, err := os.ReadFile(task)
			if err != nil {
				continue
			}
			if tracer, ok := procField(string(text), "TracerPid:"); ok && tracer == 0 {
				return false
			}
		}
	}
	return true
}

// until polls cond, for states of other processes that nothing announces.
func until(ctx context.Context, limit time.Duration, cond func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
