package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/servers"
)

// TestHooksAreTold runs the receiver of contrib/hooks, and a program, behind [[hooks]] of a file of
// users that changes.
func TestHooksAreTold(t *testing.T) {
	t.Parallel() // it mostly waits
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	heard, port := startReceiver(t, secret)
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	told := filepath.Join(dir, "told")
	writeMode(t, program, "#!/bin/sh\necho \"$FERRY_EVENT $FERRY_PATH ${FERRY_PASS-none}\" >>"+told+"\n", 0o700)
	file := filepath.Join(dir, "users.toml")
	text := fmt.Sprintf(`
[users.bob]
auth = "none"
remote = %q
[[hooks]]
events = ["upload.stored", "login"]
url = "http://localhost:%d/"
secret = "%s"
concurrency = 1
`, dir+"/srv", port, secret)
	writeMode(t, file, text, 0o600)
	if err := os.Mkdir(dir+"/srv", 0o755); err != nil {
		t.Fatal(err)
	}
	proc, addr := serveBy(t, ferryBinary, "serve", "ftp", "--addr", "127.0.0.1:0", "--users", file, "-v")
	m, err := loginMortal(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	storeRenamed(t, m, "a")
	if err := heard.waitForLine(`dev\.ferry\.upload\.stored /a bob`); err != nil {
		t.Fatalf("%v; the log:\n%s", err, proc.log)
	}
	if got := heard.String(); !strings.HasPrefix(got, "dev.ferry.login  bob\n") || strings.Contains(got, "part") {
		t.Errorf("the receiver heard:\n%s", got)
	}

	writeMode(t, file, text+"[[hooks]]\nevents = \"upload.stored\"\nprogram = \""+program+"\"\n", 0o600)
	if err := proc.log.waitForLine("read the users again"); err != nil {
		t.Fatal(err)
	}
	storeRenamed(t, m, "b")
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, _ := os.ReadFile(told) // it is not there at first
		if string(got) == "upload.stored /b none\n" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the program was told %q; the log:\n%s", got, proc.log)
		}
	}
}

// startReceiver starts the receiver of contrib/hooks, and returns what it prints.
func startReceiver(t *testing.T, secret string) (heard *logBuffer, port int) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	heard, port = newLogBuffer(), servers.FreePort(t)
	receiver := exec.Command(python, "../contrib/hooks/receiver.py", fmt.Sprint(port))
	receiver.Env = append(os.Environ(), "SECRET="+secret)
	receiver.Stdout, receiver.Stderr = heard, os.Stderr
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = receiver.Process.Kill(); _ = receiver.Wait() })
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprint("localhost:", port))
		if err == nil {
			conn.Close()
			return heard, port
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// storeRenamed is what careful clients do.
func storeRenamed(t *testing.T, m *mortal, name string) {
	t.Helper()
	err := m.send("STOR "+name+".part", []byte("hello"))
	for _, step := range []struct {
		line string
		code int
	}{{"RNFR " + name + ".part", 350}, {"RNTO " + name, 250}} {
		if err == nil {
			_, err = m.do(step.line, step.code)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeMode(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// ferry hooks asks the ferry that runs, and looks into the outbox of one that does not.
func TestUndeliveredEvents(t *testing.T) {
	t.Parallel() // it mostly waits
	home, served := t.TempDir(), t.TempDir()
	socket := "unix://" + home + "/rc"
	proc, err := start(home, nil, "serve", "ftp", served, "--addr", "127.0.0.1:0", "--user", "bob", "-v",
		"--rc", "--rc-addr", socket, "--rc-no-auth", "--hook", fmt.Sprintf("mkdir,rmdir=http://127.0.0.1:%d/", servers.FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.kill)
	addrs, err := proc.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	ferry := func(want int, args ...string) string { return runHooks(t, home, want, args...) }
	m, err := loginMortal(addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	for _, line := range []string{"MKD a", "MKD b", "MKD c"} {
		if _, err := m.do(line, 257); err != nil {
			t.Fatal(err)
		}
	}
	if err := proc.log.waitForLine("a hook cannot be told"); err != nil {
		t.Fatal(err)
	}
	got := ferry(0, "ls", "--rc-addr", socket)
	if strings.Count(got, " waiting ") != 3 || !strings.Contains(got, ` mkdir "/b"`) || !strings.Contains(got, " 127.0.0.1-") || !strings.Contains(got, "connection refused") {
		t.Errorf("it lists\n%s", got)
	}
	if got := ferry(1, "ls", "--rc-addr", "unix://"+home+"/nobody"); !strings.Contains(got, "uses") || !strings.Contains(got, "--rc") {
		t.Errorf("without an answer: %s", got)
	}
	id, name := strings.Fields(got)[0], strings.Fields(got)[4]
	if got := ferry(0, "drop", id, "--rc-addr", socket); got != "1\n" {
		t.Errorf("dropped %q", got)
	}
	if got := ferry(0, "retry", "--name", name, "--rc-addr", socket); got != "2\n" {
		t.Errorf("retried %q", got)
	}
	if got := ferry(1, "retry", "999", "--rc-addr", socket); !strings.Contains(got, "no event in the outbox has the id 999") {
		t.Errorf("retried what is not there: %s", got)
	}
	if code, err := proc.stop(); code != 0 || err != nil {
		t.Fatalf("%d, %v", code, err)
	}
	if got := ferry(0, "ls", "--json"); strings.Count(got, `"mkdir"`) != 2 {
		t.Errorf("left in the outbox: %s", got)
	}
	if got := ferry(0, "drop", "--name", name); got != "2\n" {
		t.Errorf("dropped %q", got)
	}
	if got := ferry(0, "ls"); got != "" {
		t.Errorf("left in the outbox: %s", got)
	}
	ferry(2, "drop")
}

// The page and ferry top say which hooks are not told.
func TestThePageTellsOfHooks(t *testing.T) {
	t.Parallel()
	home, served := t.TempDir(), t.TempDir()
	socket := "unix://" + home + "/rc"
	proc, err := start(home, nil, "serve", "ftp", served, "--addr", "127.0.0.1:0", "--user", "bob", "--passive-port", fmt.Sprint(servers.FreePort(t)),
		"--rc", "--rc-addr", socket, "--hook", fmt.Sprintf("mkdir=http://127.0.0.1:%d/", servers.FreePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.kill)
	addrs, err := proc.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := loginMortal(addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	for _, step := range []struct {
		line string
		code int
	}{{"MKD a", 257}, {"EPSV", 229}} {
		if _, err := m.do(step.line, step.code); err != nil {
			t.Fatal(err)
		}
	}
	var s struct {
		Trouble []struct{ Text string }
		Hooks   struct {
			Rows []struct {
				Waiting, Failed int
				Error           string
			}
		}
	}
	for end := time.Now().Add(patience); len(s.Trouble) < 2 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		p, err := start(home, nil, "rc", "ui/snapshot", "--rc-addr", socket)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := p.wait(); code != 0 || err != nil {
			t.Fatalf("%d, %v: %s", code, err, p.log)
		}
		if err := json.Unmarshal([]byte(p.log.String()), &s); err != nil {
			t.Fatal(err)
		}
	}
	texts := fmt.Sprint(s.Trouble)
	if !strings.Contains(texts, "cannot be told, 1 event waits for it") || !strings.Contains(texts, "all 1 passive ports are in use") ||
		len(s.Hooks.Rows) != 1 || s.Hooks.Rows[0].Waiting != 1 || s.Hooks.Rows[0].Failed == 0 || !strings.Contains(s.Hooks.Rows[0].Error, "connection refused") {
		t.Errorf("wrong is %s, of %+v", texts, s.Hooks)
	}
}

// runHooks runs ferry hooks, which ends with a status, and returns what it prints.
func runHooks(t *testing.T, home string, status int, args ...string) string {
	t.Helper()
	p, err := start(home, nil, append([]string{"hooks"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.wait()
	if err != nil || code != status {
		t.Errorf("ferry hooks %q ended with %d, %v: %s", args, code, err, p.log)
	}
	return p.log.String()
}
