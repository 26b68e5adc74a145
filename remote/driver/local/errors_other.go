//go:build !windows

package local

import "syscall"

// systemSentinel knows the error numbers of one system only. Here there are none.
func systemSentinel(syscall.Errno) error { return nil }
