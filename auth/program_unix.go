//go:build unix

package auth

import (
	"os/exec"
	"syscall"
)

// killAll lets the end of the context end the processes that cmd starts, too.
func killAll(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
