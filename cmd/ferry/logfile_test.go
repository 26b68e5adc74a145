package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSIGHUPOpensTheLogFileAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--log-file", name)
	waitForFile(t, name, "serving FTP on")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	r.signals <- syscall.SIGHUP
	waitForFile(t, name, "opened the log file again")
	r.stop()
	r.wait(t)
	waitForFile(t, name, "stopping")
	if old, err := os.ReadFile(name + ".1"); err != nil || strings.Contains(string(old), "stopping") {
		t.Errorf("the old file, %v:\n%s", err, old)
	}
}

// waitForFile waits until a file says something.
func waitForFile(t *testing.T, name, text string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		got, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(got), text) {
			return
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("%q is missing, %v:\n%s", text, err, got)
		}
	}
}
