package main

import (
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// memoryLimit is how much memory this process may use: the least of what the machine has, what its
// control groups allow and the limit of its address space.
func memoryLimit() uint64 {
	var limit uint64
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		limit = uint64(info.Totalram) * uint64(info.Unit)
	}
	var space syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &space) == nil && space.Cur < 1<<60 {
		limit = least(limit, space.Cur)
	}
	groups, _ := os.ReadFile("/proc/self/cgroup") // without it there are none
	return least(limit, groupLimit("/sys/fs/cgroup", string(groups)))
}

// groupLimit is the least limit of the control groups that are named as in /proc/self/cgroup, and
// of those above them; 0 for none. root is where they are mounted.
func groupLimit(root, groups string) uint64 {
	var limit uint64
	for line := range strings.Lines(groups) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		dir, file := root, "memory.max" // version 2 has one tree
		switch {
		case fields[1] == "memory":
			dir, file = path.Join(root, "memory"), "memory.limit_in_bytes"
		case fields[1] != "":
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			limit = least(limit, readLimit(path.Join(dir, group, file)))
			if group == "/" {
				break
			}
		}
	}
	return limit
}

// readLimit is the number in a file, 0 when there is none, or one that is none.
func readLimit(name string) uint64 {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n > 1<<60 { // "max", or what version 1 has for it
		return 0
	}
	return n
}
