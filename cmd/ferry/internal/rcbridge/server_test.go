package rcbridge

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestRCSocketsThatAreThereAlready(t *testing.T) {
	dir := t.TempDir()
	dead, alive, file := filepath.Join(dir, "dead"), filepath.Join(dir, "alive"), filepath.Join(dir, "file")
	for _, path := range []string{dead, alive} {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		if path == dead {
			l.Close()
		} else {
			defer l.Close()
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := listenUnix(t.Context(), dead)
	if err != nil {
		t.Fatalf("the socket of a process that is gone: %v", err)
	}
	l.Close()
	for _, path := range []string{alive, file} {
		if l, err := listenUnix(t.Context(), path); err == nil {
			l.Close()
			t.Errorf("%s was replaced", path)
		}
	}
}
