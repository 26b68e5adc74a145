package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// get returns the status and the body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metricsURL waits for the address of the metrics, and returns what is in front of its pages.
func (r *running) metricsURL(t *testing.T) string {
	t.Helper()
	r.waitFor(t, "serving metrics on ")
	found := regexp.MustCompile(`serving metrics on (http://[^ \n]*)/metrics`).FindStringSubmatch(r.logged())
	return found[1]
}

// wantMetrics looks for lines.
func wantMetrics(t *testing.T, url string, lines ...string) string {
	t.Helper()
	status, body := get(t, url)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", url, status, body)
	}
	for _, line := range lines {
		if !strings.Contains("\n"+body, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("%s is not there, but %q", line, regexp.MustCompile(`(?m)^`+name+`.*`).FindAllString(body, -1))
		}
	}
	return body
}

// The metrics of a server tell what its clients have done, and promtool finds nothing wrong with
// them.
func TestMetricsAfterTraffic(t *testing.T) {
	root := t.TempDir()
	r := start(t, nil, root, "--addr", "127.0.0.1:0", "--passive-port", "0", "--metrics-addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder",
		"--vfs-cache-mode", "writes", "--vfs-write-back", "0s", "--bans", "off", "--tls", "self-signed")
	c := dial(t, r.url(t))
	c.cmd(331, "USER bob")
	c.cmd(530, "PASS wrong")
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS builder")
	c.cmd(200, "TYPE I")
	data := c.upload("file")
	if _, err := io.WriteString(data, "content"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	base := r.metricsURL(t)
	eventually(t, func() bool {
		_, body := get(t, base+"/metrics")
		return strings.Contains(body, `ferry_uploads_total{result="ok"} 1`)
	})
	data = c.passive()
	c.cmd(150, "RETR file")
	if b, err := io.ReadAll(data); err != nil || string(b) != "content" {
		t.Fatalf("%q, %v", b, err)
	}
	c.want(226)
	c.list(".")
	c.cmd(500, "NONSENSE")
	body := wantMetrics(t, base+"/metrics",
		`ferry_sessions{tls="no"} 1`,
		`ferry_logins_total{result="ok",source="flags"} 1`,
		`ferry_logins_total{result="password",source="none"} 1`,
		`ferry_transfers_total{direction="up",result="ok"} 1`,
		`ferry_transfers_total{direction="down",result="ok"} 1`,
		`ferry_transfers_total{direction="list",result="ok"} 1`,
		`ferry_transfer_bytes_total{direction="up",tls="no"} 7`,
		`ferry_commands_total{class="2",command="STOR"} 1`,
		`ferry_commands_total{class="5",command="other"} 1`,
		`ferry_upload_delay_seconds_count 1`,
		`ferry_queue_files{tree="local"} 0`,
		`ferry_remote_up{remote="local"} 1`,
		`ferry_remote_requests_total{operation="put",remote="local",result="ok"} 1`,
	)
	for _, part := range []string{"ferry_certificate_expiry_timestamp_seconds{", "go_goroutines ", "ferry_build_info{"} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is not there", part)
		}
	}
	for _, secret := range []string{"bob", "builder", "wrong", root} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is in the metrics", secret)
		}
	}
	checkMetrics(t, body)
}

// What users with a quota have stored is shown by their names if somebody asks for that; the state
// of their trees is shown without names.
func TestMetricsOfUsers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "users.toml")
	text := "[defaults]\nremote = '" + dir + "/{user}'\ncreate_home = true\n[users.ann]\nauth = 'none'\nquota_bytes = '1M'\n[users.bob]\nauth = 'none'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, asked := range []bool{false, true} {
		r := start(t, nil, "--addr", "127.0.0.1:0", "--passive-port", "0", "--metrics-addr", "127.0.0.1:0", "--users", file,
			"--metrics-users="+strconv.FormatBool(asked))
		url := r.url(t)
		c := dial(t, url)
		c.cmd(331, "USER ann")
		c.cmd(230, "PASS x")
		c.cmd(200, "TYPE I")
		data := c.upload("file " + strconv.FormatBool(asked))
		if _, err := io.WriteString(data, strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		data.Close()
		c.want(226)
		body := wantMetrics(t, r.metricsURL(t)+"/metrics",
			`ferry_remote_up{remote="local"} 1`, `ferry_logins_total{result="ok",source="file"} 1`)
		if strings.Contains(body, `up{remote="memory"`) {
			t.Error("the remote of nobody is shown")
		}
		for _, line := range []string{`ferry_quota_used_bytes{user="ann"} 1000`, `ferry_quota_limit_bytes{user="ann"} 1.048576e+06`} {
			if strings.Contains(body, line) != asked {
				t.Errorf("%s is there: %v", line, !asked)
			}
		}
		if strings.Contains(body, "bob") {
			t.Error("a user without a quota is shown")
		}
		if status, body := get(t, r.metricsURL(t)+"/readyz"); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
}

// Calls of hooks are counted, of those that are told and of those that are asked.
func TestMetricsOfHooks(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 127\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--metrics-addr", "127.0.0.1:0",
		"--hook", "mkdir=/bin/true", "--hook", "pre.delete=/bin/false", "--hook", "pre.rename="+broken)
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.cmd(257, "MKD d")
	c.cmd(550, "RMD d")
	c.cmd(350, "RNFR d")
	c.cmd(451, "RNTO e")
	base := r.metricsURL(t)
	told := regexp.MustCompile(`(?m)^ferry_hooks_total\{hook="[^"]+",result="ok"\} 1$`)
	eventually(t, func() bool {
		_, body := get(t, base+"/metrics")
		return told.MatchString(body)
	})
	_, body := get(t, base+"/metrics")
	for _, want := range []string{`ferry_hooks_total\{hook="[^"]+",result="denied"\} 1`, `ferry_hooks_waiting\{hook="[^"]+"\} 0`, `ferry_hook_duration_seconds_count\{hook="[^"]+"\} 1`,
		`ferry_hook_unanswered_total\{cause="failure",hook="[^"]+",taken="no"\} 1`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(body) {
			t.Errorf("%s is not there, but %q", want, regexp.MustCompile(`(?m)^ferry_hook.*`).FindAllString(body, -1))
		}
	}
}

// checkMetrics has promtool check them, where it is installed.
func checkMetrics(t *testing.T, body string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed: it is in Debian's package prometheus")
	}
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// The remote control has the same page, by its rules of access.
func TestMetricsOfTheRemoteControl(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--rc", "--rc-addr", "127.0.0.1:0", "--rc-user", "me", "--rc-pass", "right")
	r.url(t)
	r.waitFor(t, "serving remote control on ")
	url := regexp.MustCompile(`serving remote control on http://([^ \n]*)/`).FindStringSubmatch(r.logged())[1]
	if status, body := get(t, "http://"+url+"/metrics"); status != http.StatusUnauthorized {
		t.Errorf("without a password: %d %s", status, body)
	}
	wantMetrics(t, "http://me:right@"+url+"/metrics", `ferry_sessions{tls="no"} 0`)
	for _, page := range []string{"livez", "readyz", "healthz"} {
		if status, body := get(t, "http://"+url+"/"+page); status != http.StatusOK {
			t.Errorf("%s: %d %s", page, status, body)
		}
	}
}

// A page of the metrics is not for a name that somebody has pointed here, and nothing can be
// posted.
func TestTheAddressOfMetricsShowsPagesOnly(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0")
	r.url(t)
	base := r.metricsURL(t)
	for _, test := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/metrics", "", 200},
		{"GET", "/metrics", "localhost:1", 200},
		{"GET", "/metrics", "evil.example.org", 403},
		{"GET", "/", "", 200},
		{"GET", "/livez", "", 200},
		{"HEAD", "/readyz", "", 200},
		{"GET", "/debug/pprof/heap", "", 404},
		{"POST", "/rc/noop", "", 405},
		{"POST", "/metrics", "", 405},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = test.host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != test.want {
			t.Errorf("%s %s for %q: %d, not %d", test.method, test.path, test.host, resp.StatusCode, test.want)
		}
	}
}

// Balancers ask in the form of HTTP/1.0, which names no host. No browser does.
func TestHealthChecksOfBalancersNameNoHost(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0")
	r.url(t)
	base := r.metricsURL(t)
	eventually(t, func() bool { status, _ := get(t, base+"/readyz"); return status == http.StatusOK })
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /readyz HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), " 200 OK\r\n") {
		t.Errorf("%s, %v", answer, err)
	}
}

// A server that drains is not ready, and is alive.
func TestHealthOfAServerThatStops(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--metrics-addr", "127.0.0.1:0")
	c := dial(t, r.url(t))
	base := r.metricsURL(t)
	health := func(status int, want string, args ...string) {
		t.Helper()
		got, stdout, stderr := runNow(t, []string{"FERRY_METRICS_ADDR=" + strings.TrimPrefix(base, "http://")}, append([]string{"health"}, args...)...)
		if got != status || !strings.Contains(stdout+stderr, want) {
			t.Errorf("health %q: %d, %s%s", args, got, stdout, stderr)
		}
	}
	eventually(t, func() bool { status, _ := get(t, base+"/readyz"); return status == http.StatusOK })
	health(exitOK, "ok")
	health(exitOK, "ok", "--addr", base, "--live")
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.upload("unfinished")
	r.signals <- syscall.SIGTERM
	r.waitFor(t, "stopping: ")
	eventually(t, func() bool { status, _ := get(t, base+"/readyz"); return status == http.StatusServiceUnavailable })
	if _, body := get(t, base+"/readyz?verbose"); !strings.Contains(body, "The server is stopping.") || !strings.Contains(body, `"listeners": "ok"`) {
		t.Errorf("while it stops: %s", body)
	}
	health(exitFailure, "drain: The server is stopping.")
	health(exitOK, "ok", "--live")
	r.signals <- syscall.SIGTERM
	r.wait(t)
	health(exitFailure, "refused")
}

// eventually waits until something is so.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatal("it does not become so")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
