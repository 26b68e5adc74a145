//go:build unix

package main

import "syscall"

// descriptorLimit is how many descriptors this process may have, 0 for any number.
func descriptorLimit() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) > 1<<40 {
		return 0 // RLIM_INFINITY
	}
	return uint64(l.Cur)
}
