package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// send stores a file.
func (c client) send(name, content string) {
	c.t.Helper()
	data := c.upload(name)
	if _, err := data.Write([]byte(content)); err != nil {
		c.t.Fatal(err)
	}
	if err := data.(*net.TCPConn).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	c.want(226)
}

// sharing starts a node over a store whose changes wait for an hour, with a cache of its own.
func sharing(t *testing.T, store, node string, args ...string) (r *running, socket string) {
	t.Helper()
	args = append([]string{store, "--rc-no-auth", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h", "--cache-dir", t.TempDir(), "--node", node}, args...)
	return controlled(t, args...)
}

// What waits on a node that ends is stored by another one; the place within what is served is not
// shown.
func TestHandoverAtTheEnd(t *testing.T) {
	store := t.TempDir()
	place := filepath.Join(store, ".ferry-handover")
	a, _ := sharing(t, store, "a", "--handover", place)
	c := enter(t, a.url(t))
	c.send("f", "hello")
	c.cmd(257, "MKD d")
	c.send("d/g", "world")
	c.cmd(550, "CWD .ferry-handover")
	c.cmd(553, "MKD .ferry-handover")
	if list := c.list("-a"); strings.Contains(list, "handover") {
		t.Errorf("the place is shown: %s", list)
	}
	a.signals <- syscall.SIGTERM
	if status := a.wait(t); status != exitOK || !strings.Contains(a.logged(), "handed over what waited") {
		t.Fatalf("status %d:\n%s", status, a.logged())
	}
	if _, err := os.Stat(filepath.Join(store, "f")); err == nil {
		t.Fatal("it is on the store already")
	}
	b, socket := sharing(t, store, "b", "--handover", place)
	b.url(t)
	b.waitFor(t, "took over changes from another node")
	call(t, exitOK, "--unix-socket", socket, "vfs/flush")
	for name, want := range map[string]string{"f": "hello", "d/g": "world"} {
		if got, err := os.ReadFile(filepath.Join(store, name)); string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	b.signals <- syscall.SIGTERM
	b.wait(t)
}

// By rc it goes at once, and the process stays.
func TestHandoverByRC(t *testing.T) {
	store, place := t.TempDir(), t.TempDir()
	a, socket := sharing(t, store, "a", "--handover", place)
	enter(t, a.url(t)).send("f", "hello")
	out, _ := call(t, exitOK, "--unix-socket", socket, "core/drain", "handover=true", "wait=20s")
	if out["state"] != "drained" || out["changes"] != 0.0 {
		t.Errorf("%v\n%s", out, a.logged())
	}
	if strings.Contains(a.logged(), "sending what waits") {
		t.Errorf("it begins to send what it hands over:\n%s", a.logged())
	}
	if _, err := os.Stat(filepath.Join(store, "f")); err == nil {
		t.Error("it was sent")
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/queue"); len(out["queue"].([]any)) != 0 {
		t.Errorf("%v", out)
	}
	b, other := sharing(t, store, "b", "--handover", place)
	b.url(t)
	b.waitFor(t, "took over changes from another node")
	call(t, exitOK, "--unix-socket", other, "vfs/flush")
	if got, err := os.ReadFile(filepath.Join(store, "f")); string(got) != "hello" {
		t.Errorf("f is %q, %v", got, err)
	}
}

// Without --handover it is an error, and nothing is drained.
func TestHandoverByRCWithoutAPlace(t *testing.T) {
	a, socket := sharing(t, t.TempDir(), "a")
	a.url(t)
	_, stderr := call(t, exitFailure, "--unix-socket", socket, "core/drain", "handover=true")
	if !strings.Contains(stderr, "there is no --handover") {
		t.Error(stderr)
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "core/drained"); out["state"] != "serving" {
		t.Errorf("%v", out)
	}
}

// What a user has sent is handed over with what there is to know of the tree.
func TestHandoverOfATreeOfAUser(t *testing.T) {
	store, place := t.TempDir(), t.TempDir()
	file := filepath.Join(t.TempDir(), "users.toml")
	text := "[users.cam]\nauth = 'none'\nremote = '" + store + "'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	node := func(name string) *running {
		r, _ := controlled(t, "--users", file, "--rc-no-auth", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h",
			"--shutdown-flush", "0", "--cache-dir", t.TempDir(), "--node", name, "--handover", place)
		return r
	}
	a := node("a")
	c := dial(t, a.url(t))
	c.cmd(331, "USER cam")
	c.cmd(230, "PASS x")
	c.send("f", "hello")
	a.signals <- syscall.SIGTERM
	if status := a.wait(t); status != exitOK || !strings.Contains(a.logged(), "handed over what waited") {
		t.Fatalf("status %d:\n%s", status, a.logged())
	}
	b := node("b")
	b.url(t)
	b.waitFor(t, "took over changes from another node")
}

// --conflict keep keeps nothing where no upload waits.
func TestKeepingNothingIsToldOf(t *testing.T) {
	for _, args := range [][]string{nil, {"--vfs-cache-mode", "writes", "--vfs-write-ack", "remote"}, {"--vfs-cache-mode", "writes"}} {
		r, _ := controlled(t, append([]string{t.TempDir(), "--rc-no-auth", "--cache-dir", t.TempDir(), "--conflict", "keep"}, args...)...)
		r.url(t)
		if told := strings.Contains(r.logged(), "--conflict keep keeps nothing"); told != (len(args) != 2) {
			t.Errorf("%q: told is %v", args, told)
		}
	}
}

// A remote that knows no conditions is refused.
func TestHandoverNeedsConditions(t *testing.T) {
	status, _, stderr := runNow(t, nil, "serve", "ftp", t.TempDir(), "--addr", "127.0.0.1:0", "--vfs-cache-mode", "writes", "--cache-dir", t.TempDir(),
		"--handover", ":union,upstreams='"+t.TempDir()+" "+t.TempDir()+"':")
	if status != exitFailure || !strings.Contains(stderr, "on the condition that there is none") {
		t.Errorf("%d %s", status, stderr)
	}
}

// What waits on the disk of a node that is gone is sent to the remote that its cache has noted, or
// left for others.
func TestCacheAdopt(t *testing.T) {
	store, kept, place := t.TempDir(), t.TempDir(), t.TempDir()
	lost := func() {
		a, _ := controlled(t, store, "--rc-no-auth", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h", "--cache-dir", kept)
		c := enter(t, a.url(t))
		c.send("f", "hello")
		status, stdout, stderr := runNow(t, nil, "cache", "adopt", kept)
		if status != exitFailure || !strings.Contains(stdout, "uses "+kept) || strings.Contains(stdout, "hello") {
			t.Errorf("while it is used: %d %s%s", status, stdout, stderr)
		}
		a.signals <- syscall.SIGTERM
		a.wait(t)
		os.Remove(filepath.Join(store, "f"))
	}
	lost()
	status, stdout, stderr := runNow(t, nil, "cache", "adopt", kept)
	if status != exitOK || !strings.Contains(stdout, ": 1 change sent, 0 left\n") {
		t.Errorf("%d %s%s", status, stdout, stderr)
	}
	if got, err := os.ReadFile(filepath.Join(store, "f")); string(got) != "hello" {
		t.Errorf("f is %q, %v", got, err)
	}
	status, stdout, stderr = runNow(t, nil, "cache", "adopt", filepath.Join(kept, "vfs"))
	if status != exitOK || !strings.Contains(stdout, ": 0 changes sent, 0 left") {
		t.Errorf("again: %d %s%s", status, stdout, stderr)
	}
	lost()
	status, stdout, stderr = runNow(t, nil, "cache", "adopt", kept, "--handover", place)
	if status != exitOK || !strings.Contains(stdout, ": 1 change handed over, 0 left") {
		t.Errorf("handed over: %d %s%s", status, stdout, stderr)
	}
	b, socket := sharing(t, store, "b", "--handover", place)
	b.url(t)
	b.waitFor(t, "took over changes from another node")
	call(t, exitOK, "--unix-socket", socket, "vfs/flush")
	if got, err := os.ReadFile(filepath.Join(store, "f")); string(got) != "hello" {
		t.Errorf("f is %q, %v", got, err)
	}
}

// What others have stored since the node was lost is not lost by what it had waiting.
func TestCacheAdoptKeepsWhatOthersHaveStored(t *testing.T) {
	store, kept := t.TempDir(), t.TempDir()
	a, _ := controlled(t, store, "--rc-no-auth", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h", "--cache-dir", kept)
	enter(t, a.url(t)).send("f", "hello")
	a.signals <- syscall.SIGTERM
	a.wait(t)
	if err := os.WriteFile(filepath.Join(store, "f"), []byte("newer"), 0o666); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := runNow(t, nil, "cache", "adopt", kept, "--node", "medic")
	copies, err := filepath.Glob(filepath.Join(store, "f.conflict-medic-*"))
	if status != exitOK || err != nil || len(copies) != 1 {
		t.Fatalf("%d %s%s: copies %q, %v", status, stdout, stderr, copies, err)
	}
	for name, want := range map[string]string{filepath.Join(store, "f"): "hello", copies[0]: "newer"} {
		if got, err := os.ReadFile(name); string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
}

// A cache that has not noted its remote needs the one that was served.
func TestCacheAdoptNeedsTheRemote(t *testing.T) {
	store, kept := t.TempDir(), t.TempDir()
	a, _ := controlled(t, store, "--rc-no-auth", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h", "--cache-dir", kept)
	enter(t, a.url(t)).send("f", "hello")
	a.signals <- syscall.SIGTERM
	a.wait(t)
	notes, err := filepath.Glob(filepath.Join(kept, "vfs/*/user"))
	if err != nil || len(notes) != 1 || os.Remove(notes[0]) != nil {
		t.Fatal(notes, err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "name that behind the directory"},
		{[]string{t.TempDir()}, "the cache of another remote"},
		{[]string{store}, ": 1 change sent, 0 left"},
	} {
		_, stdout, stderr := runNow(t, nil, append([]string{"cache", "adopt", kept}, test.args...)...)
		if !strings.Contains(stdout, test.want) {
			t.Errorf("%q: %s%s, want %s", test.args, stdout, stderr, test.want)
		}
	}
	if _, _, stderr := runNow(t, nil, "cache", "adopt", store); !strings.Contains(stderr, "no cache directory") {
		t.Error(stderr)
	}
}
