package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// report is everything that a run has to say, as Markdown.
func (b *bench) report(args []string, res *results) string {
	var w strings.Builder
	fmt.Fprintf(&w, "Made by `%s`\n", strings.TrimSpace("go run ./bench "+strings.Join(args, " ")))
	fmt.Fprintf(&w, "on %s; served from %s; %s;\nload average before the start %s.\n\n",
		machine(), b.suite.served(b), roundsText(b.scale.rounds), b.load)
	var names, versions []string
	for _, s := range b.servers {
		names = append(names, s.name)
		versions = append(versions, strings.TrimSpace(s.name+" "+s.version))
	}
	fmt.Fprintf(&w, "Servers: %s.\n\n", strings.Join(versions, ", "))
	w.WriteString(res.table("ferry", names))
	if lines := res.failures(); len(lines) > 0 {
		fmt.Fprintf(&w, "\nWithout a figure:\n\n- %s\n", strings.Join(lines, "\n- "))
	}
	if len(res.notes) > 0 {
		fmt.Fprintf(&w, "\nLeft out:\n\n- %s\n", strings.Join(res.notes, "\n- "))
	}
	if len(b.missing) > 0 {
		w.WriteString("\nMissing:\n\n")
		for _, m := range b.missing {
			fmt.Fprintf(&w, "- %s: %s\n", m.name, m.reason)
		}
	}
	if len(res.calls) > 0 {
		fmt.Fprintf(&w, "\nSystem calls per file of %s, by `strace -f -c` over %d files in one session:\n\n%s",
			sizeText(int64(b.scale.smallBytes)), b.scale.straceFiles, callTable(res.calls))
	}
	return w.String()
}

func roundsText(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("median of %d rounds in which the servers take turns", n)
}

// machine describes where the figures come from.
func machine() string {
	cpu := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(model)
				break
			}
		}
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		kernel = []byte("of unknown version")
	}
	return fmt.Sprintf("%d cores of %s, Linux %s, %s", runtime.NumCPU(), cpu, strings.TrimSpace(string(kernel)), runtime.Version())
}

// loadAverage is that of the last minute: near 0 on a machine that has nothing else to do.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

// fileSystem names the type of file system that holds dir.
func fileSystem(dir string) string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "an unknown file system"
	}
	names := map[int64]string{0x01021994: "tmpfs", 0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x794c7630: "overlayfs"}
	if name, ok := names[int64(fs.Type)]; ok {
		return name
	}
	return fmt.Sprintf("a file system of type %#x", fs.Type)
}
