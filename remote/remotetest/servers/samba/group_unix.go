//go:build unix

package samba

import (
	"os/exec"
	"syscall"
)

// ownGroup starts cmd in a process group of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a process and those of its group. That they are gone already is fine.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
