package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What is said of HTTP requests is in each, over whatever the driver says.
func TestFlagsOfRequests(t *testing.T) {
	var (
		mu   sync.Mutex
		seen = map[string]http.Header{} // guarded by mu
		from string                     // guarded by mu
	)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.Method], from = r.Header, r.RemoteAddr
		w.WriteHeader(http.StatusForbidden)
	}))
	defer s.Close()
	for name, what := range map[string]string{
		"webdav":    `:webdav,url="` + s.URL + `/",vendor=other:`,
		"http":      `:http,url="` + s.URL + `/":`,
		"s3":        `:s3,provider=Other,endpoint="` + s.URL + `",access_key_id=key,secret_access_key=secret:bucket`,
		"gcs":       `:gcs,anonymous=true,endpoint="` + s.URL + `":bucket`,
		"azureblob": `:azureblob,use_emulator=true,endpoint="` + s.URL + `/devstoreaccount1":container`,
	} {
		clear(seen)
		status, out, stderr := runNow(t, []string{"RCLONE_CONFIG=notfound"}, "check", what, "--user-agent", "agent/7", "--header", "X-Tenant: seven",
			"--header", "X-Other:8", "--header-download", "X-Get: 9", "--bind", "127.0.0.3", "--read-only")
		mu.Lock()
		if status != exitFailure || len(seen) == 0 || !strings.HasPrefix(from, "127.0.0.3:") {
			t.Errorf("%s: status %d, %d requests from %q: %s%s", name, status, len(seen), from, out, stderr)
		}
		for method, h := range seen {
			if h.Get("User-Agent") != "agent/7" || h.Get("X-Tenant") != "seven" || h.Get("X-Other") != "8" || (h.Get("X-Get") == "9") != (method == "GET") {
				t.Errorf("%s: %s has %v", name, method, h)
			}
		}
		mu.Unlock()
	}
	for _, args := range [][]string{{"--header", "sesame"}, {"--header", "X: sesame\n"}, {"--http-proxy", "sesame"}, {"--header-upload", "a b: sesame"}} {
		status, _, stderr := runNow(t, nil, append([]string{"check", "."}, args...)...)
		if status != exitUsage || !strings.Contains(stderr, args[0]) || strings.Contains(stderr, "sesame") {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
	}
}

func TestRequestsGoByTheProxyOfTheFlag(t *testing.T) {
	asked := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Host:
		default:
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer s.Close()
	runNow(t, []string{"RCLONE_CONFIG=notfound"}, "check", `:webdav,url="http://nas.invalid/",vendor=other:`, "--http-proxy", s.URL)
	select {
	case host := <-asked:
		if host != "nas.invalid" {
			t.Errorf("asked for %q", host)
		}
	default:
		t.Error("nothing goes by the proxy")
	}
}

// The files that are served, by a list, a depth or a part.
func TestFilesFromAndDepth(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt", "d/c.txt", "d/e/f.txt", "# g"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(t.TempDir(), "list")
	for _, tt := range []struct {
		text, shown, gone string
		args              []string
	}{
		{"# a remark\n /a.txt \nd/e/f.txt\n", "a.txt d/e/f.txt", "b.txt d/c.txt", []string{"--files-from", list}},
		{"# g\nb.txt\n", "b.txt|# g", "a.txt", []string{"--files-from-raw", list}},
		{"a.txt\x00d/c.txt\x00", "a.txt d/c.txt", "b.txt d/e/f.txt", []string{"--files-from0", list}},
		{"", "a.txt b.txt", "d/c.txt d/e/f.txt", []string{"--max-depth", "1"}},
		{"", "a.txt d/c.txt", "d/e/f.txt", []string{"--max-depth", "2"}},
		{"", "a.txt d/c.txt", "b.txt", []string{"-f", "- b.*"}},
	} {
		if err := os.WriteFile(list, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := start(t, nil, append([]string{root, "--addr", "127.0.0.1:0"}, tt.args...)...)
		c := dial(t, r.url(t))
		c.cmd(331, "USER anonymous")
		c.cmd(230, "PASS x")
		c.cmd(200, "TYPE I")
		split := func(s string) []string {
			if strings.Contains(s, "|") {
				return strings.Split(s, "|")
			}
			return strings.Fields(s)
		}
		for _, name := range split(tt.shown) {
			c.cmd(213, "SIZE "+name)
		}
		for _, name := range split(tt.gone) {
			c.cmd(550, "SIZE "+name)
		}
	}
	status, _, stderr := runNow(t, nil, "serve", "ftp", root, "--files-from", list, "--exclude", "x")
	if status != exitUsage || !strings.Contains(stderr, "--files-from") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, _, stderr := runNow(t, nil, "serve", "ftp", root, "--hash-filter", "4"); status != exitUsage || !strings.Contains(stderr, "K/N") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Nothing is changed by a server that only tries, or would ask.
func TestDryRunChangesNothing(t *testing.T) {
	for _, flag := range []string{"-n", "--dry-run", "-i"} {
		r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", flag)
		c := dial(t, r.url(t))
		c.cmd(331, "USER anonymous")
		c.cmd(230, "PASS x")
		c.cmd(550, "MKD d")
	}
}

// AVBL is what is left of the size that was given.
func TestTheSizeOfTheStorage(t *testing.T) {
	for _, tt := range []struct{ want, args string }{
		{"1048571", "--vfs-disk-space-total-size=1M --vfs-used-is-size"},
		{"1048576", "--vfs-disk-space-total-size=1M"},
		{"0", "--vfs-disk-space-total-size=3b --vfs-used-is-size"},
	} {
		r := start(t, nil, append([]string{":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0"}, strings.Fields(tt.args)...)...)
		c := dial(t, r.url(t))
		c.cmd(331, "USER anonymous")
		c.cmd(230, "PASS x")
		c.cmd(257, "MKD d")
		data := c.upload("d/f")
		data.Write([]byte("hello"))
		data.Close()
		c.want(226)
		if got := c.cmd(213, "AVBL"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestStatsAreLogged(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--stats", "5ms", "--stats-log-level", "NOTICE", "--passive-port", "0")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	data := c.upload("f")
	data.Write([]byte("hello"))
	data.Close()
	c.want(226)
	r.waitFor(t, "statistics sessions=1 uploads=1 downloads=0")
	quiet := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--stats", "1ms", "--log-level", "NOTICE")
	quiet.url(t)
	if strings.Contains(quiet.logged(), "statistics") {
		t.Errorf("INFO is logged:\n%s", quiet.logged())
	}
}

func TestFormsOfTheLog(t *testing.T) {
	for _, args := range [][]string{{"--use-json-log"}, {"--log-format", "date,time,json"}} {
		r := start(t, nil, append(args, ":memory:", "--addr", "127.0.0.1:0")...)
		r.waitFor(t, "serving FTP")
		for line := range strings.Lines(r.logged()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%v: %s", args, line)
			}
		}
	}
	r := start(t, nil, "--log-systemd", "--log-format", "date,time,UTC", ":memory:", "--addr", "127.0.0.1:0")
	r.url(t)
	if !strings.HasPrefix(r.logged(), "<5>NOTICE: ") {
		t.Errorf("the log:\n%s", r.logged())
	}
}
