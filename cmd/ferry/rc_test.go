package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ferry/cmd/ferry/internal/listen"
	"ferry/ftp"
)

// controlled starts a server with remote control on a socket, whose path it returns too.
func controlled(t *testing.T, args ...string) (r *running, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rc") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	args = append([]string{"--addr", "127.0.0.1:0", "--passive-port", "0", "--rc", "--rc-addr", socket}, args...)
	return start(t, nil, args...), socket
}

// call runs ferry rc and returns what it prints.
func call(t *testing.T, wantStatus int, args ...string) (out map[string]any, stderr string) {
	t.Helper()
	status, stdout, stderr := runNow(t, nil, append([]string{"rc"}, args...)...)
	if status != wantStatus {
		t.Fatalf("%q: status %d\n%s%s", args, status, stdout, stderr)
	}
	if stdout != "" {
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatalf("%q: %v: %s", args, err, stdout)
		}
	}
	return out, stderr
}

func TestRCOverASocketWithoutAPassword(t *testing.T) {
	r, socket := controlled(t, ":memory:")
	r.url(t)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/forget"); !reflect.DeepEqual(out, map[string]any{"forgotten": []any{}}) {
		t.Errorf("vfs/forget: %v", out)
	}
	if out, _ := call(t, exitOK, "--url", "unix://"+socket, "vfs/forget", "file=path/to/file", "dir=path/to/dir"); !reflect.DeepEqual(out, map[string]any{"forgotten": []any{"path/to/dir", "path/to/file"}}) {
		t.Errorf("vfs/forget: %v", out)
	}
	out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/refresh", "dir2=nope")
	if !reflect.DeepEqual(out, map[string]any{"result": map[string]any{"nope": "file does not exist"}}) {
		t.Errorf("vfs/refresh: %v", out)
	}
	out, _ = call(t, exitOK, "--rc-addr", socket, "vfs/list")
	if !reflect.DeepEqual(out, map[string]any{"vfses": []any{":memory:"}}) {
		t.Errorf("vfs/list: %v", out)
	}
	out, stderr := call(t, exitFailure, "--unix-socket", socket, "ftp/sessions")
	if out["status"] != 403.0 || !strings.Contains(stderr, "authentication must be set up") {
		t.Errorf("ftp/sessions: %v, %s", out, stderr)
	}
	r.signals <- syscall.SIGTERM
	if r.wait(t) != exitOK {
		t.Error(r.logged())
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is left behind")
	}
}

func TestRCSessionsKickAndStats(t *testing.T) {
	r, socket := controlled(t, ":memory:", "--user", "bob", "--pass", "builder", "--rc-no-auth")
	c := dial(t, r.url(t))
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS builder")
	data := c.upload("dir-file")
	if _, err := io.WriteString(data, "hello"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	c.upload("unfinished")
	out, _ := call(t, exitOK, "--unix-socket", socket, "ftp/sessions")
	all := out["sessions"].([]any)
	s := all[0].(map[string]any)
	if len(all) != 1 || s["user"] != "bob" || s["command"] != "STOR" || s["path"] != "/unfinished" || !strings.HasPrefix(s["remote"].(string), "127.0.0.1:") {
		t.Errorf("sessions: %v", out)
	}
	out, _ = call(t, exitOK, "--unix-socket", socket, "core/stats")
	running, _ := out["transferring"].([]any)
	if out["bytes"] != 5.0 || out["transfers"] != 1.0 || len(running) != 1 || running[0].(map[string]any)["name"] != "unfinished" {
		t.Errorf("stats: %v", out)
	}
	call(t, exitFailure, "--unix-socket", socket, "ftp/kick", "id=99")
	call(t, exitOK, "--unix-socket", socket, "ftp/kick", "id=1")
	c.want(421)
	if rest, err := io.ReadAll(c.R); err != nil {
		t.Errorf("the session goes on: %q, %v", rest, err)
	}
	out, _ = call(t, exitOK, "--unix-socket", socket, "core/transferred")
	done := out["transferred"].([]any)
	if len(done) != 2 || done[0].(map[string]any)["name"] != "dir-file" || done[0].(map[string]any)["size"] != 5.0 || done[1].(map[string]any)["error"] == "" {
		t.Errorf("transferred: %v", out)
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "core/stats"); out["errors"] != 1.0 || !strings.Contains(out["lastError"].(string), "unfinished") {
		t.Errorf("stats: %v", out)
	}
}

func TestRCQuit(t *testing.T) {
	r, socket := controlled(t, ":memory:", "--rc-no-auth")
	r.url(t)
	call(t, exitOK, "--unix-socket", socket, "core/quit", "exitCode=7")
	if status := r.wait(t); status != 7 || strings.Contains(r.logged(), "exit status") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
	r, socket = controlled(t, ":memory:", "--rc-no-auth")
	r.url(t)
	call(t, exitOK, "--unix-socket", socket, "core/quit")
	if status := r.wait(t); status != exitOK {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestRCOptionsHideSecrets(t *testing.T) {
	r, socket := controlled(t, ":memory:", "--pass", "hunter2", "--rc-user", "bob", "--rc-pass", "hunter3", "--read-only")
	r.url(t)
	status, stdout, _ := runNow(t, []string{"FERRY_RC_USER=bob", "RCLONE_RC_PASS=hunter3", "FERRY_RC_ADDR=" + socket}, "rc", "options/get")
	var out map[string]map[string]any
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || status != exitOK {
		t.Fatalf("%v, status %d: %s", err, status, stdout)
	}
	if strings.Contains(stdout, "hunter") || out["server"]["pass"] != "***" || out["rc"]["rc-pass"] != "***" {
		t.Errorf("a secret shows: %s", stdout)
	}
	if out["vfs"]["read-only"] != true || out["log"]["verbose"] != 0.0 || !reflect.DeepEqual(out["rc"]["rc-addr"], []any{"unix://" + socket}) {
		t.Errorf("%s", stdout)
	}
}

func TestRCPasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, []byte("bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"one user": {"--rc-user", "bob", "--rc-pass", "password"}, "htpasswd": {"--rc-htpasswd", file}} {
		t.Run(name, func(t *testing.T) {
			r, socket := controlled(t, append(args, ":memory:")...)
			r.url(t)
			for _, wrong := range [][]string{{}, {"--user", "bob", "--pass", "x"}, {"--user", "eve", "--pass", "password"}} {
				_, stderr := call(t, exitFailure, append(wrong, "--unix-socket", socket, "vfs/list")...)
				if !strings.Contains(stderr, "give --user and --pass") {
					t.Errorf("%q: %s", wrong, stderr)
				}
			}
			call(t, exitOK, "--unix-socket", socket, "--user", "bob", "--pass", "password", "core/pid")
		})
	}
}

var rcAddress = regexp.MustCompile(`serving remote control on (\S+)`)

func TestRCOverTLS(t *testing.T) {
	cert, key, _, err := ftp.SelfSigned(t.TempDir(), []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--rc", "--rc-addr", "127.0.0.1:0", "--rc-cert", cert, "--rc-key", key, "--rc-baseurl", "ctl")
	r.url(t)
	url := rcAddress.FindStringSubmatch(r.logged())[1]
	if !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Fatal(url)
	}
	if out, _ := call(t, exitOK, "--url", url+"ctl", "--ca-cert", cert, "rc/noop", "a=1"); out["a"] != "1" {
		t.Errorf("%v", out)
	}
	call(t, exitFailure, "--url", url+"ctl", "rc/noop")
	call(t, exitFailure, "--url", url, "--ca-cert", cert, "rc/noop")
	r.signals <- syscall.SIGHUP
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK || !strings.Contains(r.logged(), "read the certificate again") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestRCAtItsOrdinaryAddresses(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--rc", "--rc-addr", "localhost:0")
	r.url(t)
	all := rcAddress.FindAllStringSubmatch(r.logged(), -1)
	if len(all) != len(listen.LoopbackHosts()) {
		t.Fatalf("%v", all)
	}
	for _, m := range all {
		address := strings.Trim(strings.TrimPrefix(m[1], "http:"), "/")
		call(t, exitOK, "--url", address, "vfs/forget")
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		call(t, exitOK, "--url", ":"+port, "vfs/forget")
		resp, err := http.Post(m[1]+"vfs/forget", "text/plain", nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%v, %v", resp, err)
		}
		resp.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	}
}

// What is changed behind ferry's back shows when it is told to forget.
func TestRCForgetShowsChangesOnTheRemote(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	web := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer web.Close()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("first")
	r, socket := controlled(t, ":http,url=\""+web.URL+"\":")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	shows := func(dir, want string) {
		t.Helper()
		var names []string
		for line := range strings.Lines(c.list(dir)) {
			names = append(names, strings.TrimSpace(line))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s shows %q, want %q", dir, got, want)
		}
	}
	forget := func(args ...string) {
		t.Helper()
		call(t, exitOK, append([]string{"--unix-socket", socket, "vfs/forget"}, args...)...)
	}
	shows(".", "./first ./sub")
	shows("sub", "")
	write("second")
	write("sub/third")
	shows(".", "./first ./sub")
	forget("dir=sub")
	shows("sub", "sub/third")
	write("sub/fourth")
	shows("sub", "sub/third")
	forget("file=sub/fourth")
	shows("sub", "sub/fourth sub/third")
	write("sub/fifth")
	forget()
	shows(".", "./first ./second ./sub")
	shows("sub", "sub/fifth sub/fourth sub/third")
	write("sixth")
	call(t, exitOK, "--unix-socket", socket, "vfs/refresh")
	shows(".", "./first ./second ./sixth ./sub")
	out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/stats")
	if got := out["metadataCache"].(map[string]any); got["dirs"] != 2.0 || got["files"] != 7.0 {
		t.Errorf("%v", got)
	}
}

// list returns what NLST sends.
func (c client) list(dir string) string {
	c.t.Helper()
	data := c.passive()
	c.cmd(150, "NLST "+dir)
	text, err := io.ReadAll(data)
	if err != nil {
		c.t.Fatal(err)
	}
	c.want(226)
	return string(text)
}

func (c client) passive() net.Conn {
	c.t.Helper()
	reply := c.cmd(229, "EPSV")
	port := strings.Trim(reply[strings.Index(reply, "("):], "(|)")
	data, err := net.Dial("tcp", net.JoinHostPort(c.host, port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { data.Close() })
	return data
}

func TestRCBandwidth(t *testing.T) {
	web := httptest.NewServer(http.FileServer(http.Dir(t.TempDir())))
	defer web.Close()
	rate := func(socket string, status int, args ...string) (any, any) {
		t.Helper()
		out, _ := call(t, status, append([]string{"--unix-socket", socket, "core/bwlimit"}, args...)...)
		return out["rate"], out["bytesPerSecondRx"]
	}
	r, socket := controlled(t, ":http,url=\""+web.URL+"\":", "--bwlimit", "2M", "--rc-no-auth")
	r.url(t)
	if text, n := rate(socket, exitOK); text != "2Mi" || n != 2097152.0 {
		t.Errorf("%v, %v", text, n)
	}
	if text, n := rate(socket, exitOK, "rate=1M:100k"); text != "1Mi:100Ki" || n != 102400.0 {
		t.Errorf("%v, %v", text, n)
	}
	if text, n := rate(socket, exitOK, "rate=off"); text != "off" || n != -1.0 {
		t.Errorf("%v, %v", text, n)
	}
	for _, bad := range []string{"rate=fast", "rate=08:00,512"} {
		rate(socket, exitFailure, bad)
	}

	r, socket = controlled(t, t.TempDir(), "--rc-no-auth")
	r.url(t)
	rate(socket, exitFailure, "rate=1M") // nothing would keep it
	if text, _ := rate(socket, exitOK, "rate=off"); text != "off" {
		t.Errorf("%v", text)
	}
	r, socket = controlled(t, t.TempDir(), "--rc-no-auth", "--bwlimit", "off")
	r.url(t)
	if text, _ := rate(socket, exitOK, "rate=1M"); text != "1Mi" {
		t.Errorf("%v", text)
	}
}

func TestRCWarnings(t *testing.T) {
	tests := []struct {
		args []string
		want string // "" = no warning
	}{
		{[]string{"--rc-addr", "127.0.0.1:0", "--rc-no-auth"}, ""},
		{[]string{"--rc-addr", ":0", "--rc-no-auth"}, "there is --rc-no-auth"},
		{[]string{"--rc-addr", ":0", "--rc-user", "bob", "--rc-pass", "x"}, "go over the network in clear"},
		{[]string{"--rc-addr", "127.0.0.1:0", "--rc-no-auth", "--rc-allow-origin", "*"}, "there is --rc-allow-origin *"},
		{[]string{"--rc-addr", "127.0.0.1:0", "--rc-user", "bob", "--rc-pass", "x", "--rc-allow-origin", "https://admin.example.org"}, ""},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			r := start(t, nil, append(tt.args, "--rc", "--addr", "127.0.0.1:0", ":memory:")...)
			r.url(t)
			warned := strings.Contains(r.logged(), "WARN")
			if warned != (tt.want != "") || !strings.Contains(r.logged(), tt.want) {
				t.Errorf("the log:\n%s", r.logged())
			}
		})
	}
}

func TestTheManualNamesEveryCall(t *testing.T) {
	manual, err := os.ReadFile("../../doc/rc.md")
	if err != nil {
		t.Fatal(err)
	}
	r, socket := controlled(t, ":memory:", "--rc-no-auth")
	r.url(t)
	out, _ := call(t, exitOK, "--unix-socket", socket, "rc/list")
	for _, c := range out["commands"].([]any) {
		if path := c.(map[string]any)["Path"].(string); !strings.Contains(string(manual), "`"+path+"`") {
			t.Errorf("%s is missing in doc/rc.md", path)
		}
	}
}
