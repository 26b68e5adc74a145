package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	p, err := parseStat("42 (a) b (c)) S 7 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 1 1")
	if err != nil {
		t.Fatal(err)
	}
	if want := (procStat{pid: 42, parent: 7, cpu: 1100 * time.Millisecond}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	for _, bad := range []string{"", "42 S 7", "42 (sh) S 7"} {
		if p, err := parseStat(bad); err == nil {
			t.Errorf("parseStat(%q) = %+v without an error", bad, p)
		}
	}
}

func TestGroupCPU(t *testing.T) {
	got, err := groupCPU("usage_usec 30\nuser_usec 20\nsystem_usec 10\n")
	if err != nil || got != 30*time.Microsecond {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := groupCPU("usage_usec 30\n"); err == nil {
		t.Error("no error without user and system time")
	}
}

func TestDescendantsHaveThisProcess(t *testing.T) {
	pids, err := descendants(os.Getppid())
	if err != nil || !slices.Contains(pids, os.Getpid()) {
		t.Errorf("%v, %v: no %d", pids, err, os.Getpid())
	}
}

// A tree holds the children of its process, counts the time of those that have ended, and ends as a
// whole.
func TestTree(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", `i=0; (while [ $i -lt 100000 ]; do i=$((i+1)); done); echo ready; sleep 100 & sleep 100`)
	cmd.Stdout = w
	tree, err := startTree(cmd, "test")
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer tree.stop()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if cpu, err := tree.cpu(); err != nil || cpu < 10*time.Millisecond {
		t.Errorf("CPU time %v, %v", cpu, err)
	}
	if !until(t.Context(), 10*time.Second, func() bool { pids, err := tree.pids(); return err == nil && len(pids) == 3 }) {
		t.Error("the shell and its two children are not all there")
	}
	for name, f := range map[string]func() (int64, error){"PSS": tree.pss, "peak RSS": tree.peakRSS} {
		if n, err := f(); err != nil || n < 4096 {
			t.Errorf("%s %d, %v", name, n, err)
		}
	}
	tree.stop()
	// The write end of the pipe is held by every process of the tree.
	rest := make([]byte, 64)
	for err == nil {
		_, err = r.Read(rest)
	}
}
