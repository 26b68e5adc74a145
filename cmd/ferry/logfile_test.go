package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/flags"
)

func TestSIGHUPOpensTheLogFileAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--log-file", name)
	waitForFile(t, name, "Serving FTP on")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	r.signals <- syscall.SIGHUP
	waitForFile(t, name, "Opened the log file again")
	r.stop()
	r.wait(t)
	waitForFile(t, name, "Stopping")
	if old, err := os.ReadFile(name + ".1"); err != nil || strings.Contains(string(old), "Stopping") {
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

func TestADurationInJSONHasAUnit(t *testing.T) {
	var out bytes.Buffer
	log, file, err := openLog(&flags.LogOptions{Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	log.Warn("x", slog.Duration("took", 1500*time.Millisecond))
	got := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["took_s"] != 1.5 || got["took"] != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
