package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// enter is dial and a login as anybody.
func enter(t *testing.T, url string) client {
	t.Helper()
	c := dial(t, url)
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	return c
}

// A drain that rc asks for lets a transfer finish, and can be taken back; the process stays.
func TestDrainByRC(t *testing.T) {
	r, socket := controlled(t, ":memory:", "--rc-no-auth", "--passive-port", "0", "--metrics-addr", "127.0.0.1:0", "--vfs-cache-mode", "writes",
		"--vfs-write-back", "1h", "--cache-dir", t.TempDir())
	url, base := r.url(t), r.metricsURL(t)
	state := func(want string, args ...string) map[string]any {
		t.Helper()
		out, _ := call(t, exitOK, append([]string{"--unix-socket", socket}, args...)...)
		if out["state"] != want {
			t.Errorf("%q: %v, want %s", args, out, want)
		}
		return out
	}
	eventually(t, func() bool { status, _ := get(t, base+"/readyz"); return status == http.StatusOK })
	state("serving", "core/drained")
	idle, busy := enter(t, url), enter(t, url)
	data := busy.upload("f")
	if out := state("sessions", "core/drain", "wait=100ms"); out["transfers"] != 1.0 || out["changes"] != 0.0 {
		t.Errorf("while a transfer runs: %v", out)
	}
	idle.want(421)
	if status, body := get(t, base+"/readyz?verbose"); status != http.StatusServiceUnavailable || !strings.Contains(body, "The server is drained.") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := get(t, base+"/livez"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if c := dialRaw(t, url); !strings.Contains(c.want(421), "no sessions") {
		t.Error("another reason")
	}
	out, _ := call(t, exitOK, "--unix-socket", socket, "ui/snapshot")
	if text := out["server"].(map[string]any)["drained"]; !strings.Contains(text.(string), "1 session may finish") {
		t.Errorf("the page says %v", text)
	}
	if _, err := data.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	data.Close()
	busy.want(226)
	busy.want(421)
	if out := state("drained", "core/drain", "wait=20s"); out["changes"] != 0.0 || out["sessions"] != 0.0 {
		t.Errorf("in the end: %v", out)
	}
	r.waitFor(t, "drained: no session is left")
	state("serving", "core/undrain")
	if status, body := get(t, base+"/readyz?verbose"); status != http.StatusOK {
		t.Errorf("put back: %d %s", status, body)
	}
	enter(t, url).cmd(213, "SIZE f")
	state("drained", "core/drain", "wait=20s")
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

// With --drain-delay sessions are taken for a while after health checks were told.
func TestDrainDelay(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", "--drain-delay", "1h")
	url, base := r.url(t), r.metricsURL(t)
	eventually(t, func() bool { status, _ := get(t, base+"/readyz"); return status == http.StatusOK })
	r.signals <- syscall.SIGTERM
	r.waitFor(t, "stopping soon")
	if status, body := get(t, base+"/readyz?verbose"); status != http.StatusServiceUnavailable || !strings.Contains(body, "The server is stopping.") {
		t.Errorf("%d %s", status, body)
	}
	enter(t, url).cmd(200, "NOOP")
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitFailure {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
	r = start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--drain-delay", "50ms")
	r.url(t)
	began := time.Now()
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK || time.Since(began) < 50*time.Millisecond {
		t.Errorf("status %d after %v:\n%s", status, time.Since(began), r.logged())
	}
}
