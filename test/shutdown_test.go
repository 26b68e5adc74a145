package test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSIGTERMLetsTransfersFinish(t *testing.T) {
	root, body := t.TempDir(), content(4<<20, "body")
	p, addr := serve(t, root, "-vv")
	busy, idle := login(t, "", addr), login(t, "", addr)
	data := busy.beginUpload("STOR file", body[:1<<20])
	signal(t, p, syscall.SIGTERM)
	idle.expect(421)
	idle.ended()
	if conn, err := dial("", addr); err == nil {
		conn.Close()
		t.Error("a new connection was accepted")
	}
	if _, err := data.Write(body[1<<20:]); err != nil {
		t.Fatal(err)
	}
	data.Close()
	busy.expect(226)
	busy.expect(421)
	busy.ended()
	if code, err := p.wait(); err != nil || code != 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
	if got, err := os.ReadFile(filepath.Join(root, "file")); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the file has %s, not what was sent; %v", bytesOnly(got), err)
	}
}

func TestSecondSignalStopsAtOnce(t *testing.T) {
	root := t.TempDir()
	p, addr := serve(t, root)
	busy, idle := login(t, "", addr), login(t, "", addr)
	busy.beginUpload("STOR file", content(1<<20, "body"))
	signal(t, p, syscall.SIGINT)
	idle.expect(421)
	signal(t, p, syscall.SIGINT)
	if code, err := p.wait(); err != nil || code != 1 {
		t.Errorf("exit status %d, %v", code, err)
	}
	if _, err := os.Lstat(filepath.Join(root, "file")); !os.IsNotExist(err) {
		t.Errorf("a part was published: %v", err)
	}
}

func TestShutdownTimeoutEndsTransfers(t *testing.T) {
	root := t.TempDir()
	p, addr := serve(t, root, "--shutdown-timeout", "200ms")
	busy := login(t, "", addr)
	busy.beginUpload("STOR file", content(1<<20, "body"))
	signal(t, p, syscall.SIGTERM)
	busy.expect(421, 426)
	if _, err := p.wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(root, "file")); !os.IsNotExist(err) {
		t.Errorf("a part was published: %v", err)
	}
}

func TestSIGTERMWithNobodyThere(t *testing.T) {
	p, _ := serve(t, t.TempDir())
	if code, err := p.stop(); err != nil || code != 0 {
		t.Errorf("exit status %d, %v", code, err)
	}
}

func signal(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
