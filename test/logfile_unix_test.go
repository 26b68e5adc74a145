//go:build unix

package test

import (
	"bufio"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The file is a pipe here, so that the test can wait for what is written to it.
func TestLogFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(t.TempDir(), nil, "serve", "ftp", t.TempDir(), "--addr", "127.0.0.1:0", "--log-file", fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() && !serving.MatchString(lines.Text()) {
	}
	if line := lines.Text(); !serving.MatchString(line) {
		t.Errorf("the log file ends with %q, %v", line, lines.Err())
	}
	if code, err := p.stop(); err != nil || code != 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
	if text := p.log.String(); text != "" {
		t.Errorf("beside the file something was printed: %q", text)
	}
}
