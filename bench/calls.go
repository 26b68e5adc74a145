package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// calls are the system calls of one server for one small file.
type calls struct {
	server   string
	up, down callCount
}

// A callCount is how often each system call was made for one file.
type callCount map[string]float64

func (c callCount) total() float64 {
	var sum float64
	for _, n := range c {
		sum += n
	}
	return sum
}

// String lists the calls, the most frequent first. What is made less than once in 20 files is left
// out: it belongs to the runtime or to the beginning and the end of the count.
func (c callCount) String() string {
	type call struct {
		name string
		n    float64
	}
	var list []call
	for name, n := range c {
		if n >= 0.05 {
			list = append(list, call{name, n})
		}
	}
	slices.SortFunc(list, func(a, b call) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	var text []string
	for _, l := range list {
		text = append(text, fmt.Sprintf("%s %s", l.name, strings.TrimSuffix(fmt.Sprintf("%.1f", l.n), ".0")))
	}
	return strings.Join(text, ", ")
}

// parseSummary reads the table that strace -c prints and divides its counts by files.
func parseSummary(text string, files int) (callCount, error) {
	c := make(callCount)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		// % time, seconds, usecs/call, calls, [errors,] syscall
		if len(f) != 5 && len(f) != 6 || f[len(f)-1] == "total" {
			continue
		}
		if _, err := strconv.ParseFloat(f[0], 64); err != nil {
			continue
		}
		n, err := strconv.Atoi(f[3])
		if err != nil {
			return nil, fmt.Errorf("strace summary: %q: %w", strings.TrimSpace(line), err)
		}
		c[f[len(f)-1]] = float64(n) / float64(files)
	}
	if len(c) == 0 {
		return nil, fmt.Errorf("strace summary without system calls: %q", text)
	}
	return c, nil
}

// callTable is the Markdown table of the system calls.
func callTable(all []calls) string {
	var w strings.Builder
	w.WriteString("| server | up | down |\n|---|---:|---:|\n")
	for _, c := range all {
		fmt.Fprintf(&w, "| %s | %.1f | %.1f |\n", c.server, c.up.total(), c.down.total())
	}
	for _, c := range all {
		fmt.Fprintf(&w, "\n%s, up: %s.\n\n%s, down: %s.\n", c.server, c.up, c.server, c.down)
	}
	return w.String()
}
