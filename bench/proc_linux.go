package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, 100 per second on every Linux port in use.
const tick = 10 * time.Millisecond

// procStat is what is used of /proc/PID/stat.
type procStat struct {
	pid, parent int
	cpu         time.Duration // own time and that of children that were waited for
}

// parseStat reads a line of /proc/PID/stat. The name in parentheses may hold spaces and parentheses
// itself.
func parseStat(line string) (procStat, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return procStat{}, fmt.Errorf("stat line without a name: %q", line)
	}
	f := strings.Fields(line[end+1:])
	if len(f) < 15 {
		return procStat{}, fmt.Errorf("short stat line: %q", line)
	}
	num := func(s string) int64 {
		n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return n
	}
	ticks := num(f[11]) + num(f[12]) + num(f[13]) + num(f[14])
	return procStat{pid: int(num(line[:open])), parent: int(num(f[1])), cpu: time.Duration(ticks) * tick}, nil
}

// descendants returns root and every process below it.
func descendants(root int) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		p, err := parseStat(string(text))
		if err != nil {
			return nil, err
		}
		children[p.parent] = append(children[p.parent], p.pid)
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// groupCPU reads user and system time from a control group's cpu.stat.
func groupCPU(stat string) (time.Duration, error) {
	user, ok1 := procField(stat, "user_usec")
	system, ok2 := procField(stat, "system_usec")
	if !ok1 || !ok2 {
		return 0, fmt.Errorf("cpu.stat without user_usec and system_usec: %q", stat)
	}
	return time.Duration(user+system) * time.Microsecond, nil
}

// procField finds the number behind name at the start of a line.
func procField(text, name string) (int64, bool) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
