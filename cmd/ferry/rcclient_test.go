package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// recorder is a remote control that notes what it is asked.
func recorder(t *testing.T) (url string, last func() (path, auth, params string)) {
	t.Helper()
	var path, auth, params string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path, auth, params = r.URL.Path, r.Header.Get("Authorization"), string(body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s, %v", r.Method, r.Header)
		}
		switch r.URL.Path {
		case "/no/json":
			_, _ = io.WriteString(w, "<html>")
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/big":
			_, _ = io.WriteString(w, `{"n":12345678901234567890}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() (string, string, string) { return path, auth, params }
}

// exact decodes JSON without a loss of digits.
func exact(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func TestRCClientSends(t *testing.T) {
	url, last := recorder(t)
	tests := []struct {
		args         []string
		path, params string
	}{
		{[]string{"a/b"}, "/a/b", `{}`},
		{[]string{"/a/b/"}, "/a/b", `{}`},
		{[]string{"a/b", "k=v", "empty=", "eq=a=b"}, "/a/b", `{"k":"v","empty":"","eq":"a=b"}`},
		{[]string{"a/b", "--json", `{"n":1,"big":12345678901234567890,"l":[true]}`}, "/a/b", `{"n":1,"big":12345678901234567890,"l":[true]}`},
		{[]string{"a/b", "-a", "x", "-a", "y", "-o", "k=v", "-o", "flag", "p=q"}, "/a/b", `{"arg":["x","y"],"opt":{"k":"v","flag":""},"p":"q"}`},
		{[]string{"a/b", "--json", `{"n":1}`, "-a", "x"}, "/a/b", `{"n":1,"arg":["x"]}`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			call(t, exitOK, append([]string{"--url", url}, tt.args...)...)
			path, auth, params := last()
			got, want := exact(t, params), exact(t, tt.params)
			if path != tt.path || auth != "" || !reflect.DeepEqual(got, want) {
				t.Errorf("%s %q %s", path, auth, params)
			}
		})
	}
	call(t, exitOK, "--url", url+"/base/", "--user", "bob", "--pass", "sesame", "a/b")
	if path, auth, _ := last(); path != "/base/a/b" || auth != "Basic Ym9iOnNlc2FtZQ==" {
		t.Errorf("%s %s", path, auth)
	}
	if _, stdout, _ := runNow(t, nil, "rc", "--url", url, "big"); stdout != "{\n\t\"n\": 12345678901234567890\n}\n" {
		t.Errorf("%q", stdout)
	}
	if _, stdout, _ := runNow(t, nil, "rc", "--url", url, "--no-output", "a/b"); stdout != "" {
		t.Errorf("%q", stdout)
	}
}

func TestRCClientErrors(t *testing.T) {
	url, _ := recorder(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	notACert := t.TempDir() + "/cert"
	if err := os.WriteFile(notACert, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--url", url, "a", "k"}, exitUsage, "write key=value"},
		{[]string{"--url", url, "a", "k=v", "--json", "{}"}, exitUsage, "exclude each other"},
		{[]string{"--url", url, "a", "--json", "{"}, exitUsage, "not an object"},
		{[]string{"--url", url, "a", "--json", "{}{}"}, exitUsage, "behind the object"},
		{[]string{"--url", url, "--json", "{}"}, exitUsage, "name a path"},
		{[]string{"--url", url, "--unix-socket", "s", "a"}, exitUsage, "exclude each other"},
		{[]string{"--url", "ftp://x/", "a"}, exitUsage, "use http://"},
		{[]string{"--url", url, "--ca-cert", notACert + "x", "a"}, exitFailure, "--ca-cert"},
		{[]string{"--url", url, "--ca-cert", notACert, "a"}, exitUsage, "no certificate"},
		{[]string{"--url", nobody, "a"}, exitFailure, "--rc"},
		{[]string{"--url", "http://bob:hunter2@" + nobody, "a"}, exitFailure, "bob:xxxxx@"},
		{[]string{"--unix-socket", notACert + "x", "a"}, exitFailure, "--rc"},
		{[]string{"--url", url, "no/json"}, exitFailure, "address of a remote control"},
		{[]string{"--url", url, "moved"}, exitFailure, "302"},
		{[]string{"--loopback", "rc/error", "a=b"}, exitFailure, "arbitrary error on input map[a:b]"},
		{[]string{"--loopback", "vfs/forget"}, exitFailure, "couldn't find method"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			_, stderr := call(t, tt.status, tt.args...)
			if !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "hunter2") {
				t.Errorf("%s", stderr)
			}
		})
	}
}

func TestRCLoopback(t *testing.T) {
	if out, _ := call(t, exitOK, "--loopback", "rc/noop", "a=b"); !reflect.DeepEqual(out, map[string]any{"a": "b"}) {
		t.Errorf("%v", out)
	}
	if out, _ := call(t, exitOK, "--loopback", "core/pid"); out["pid"] != float64(os.Getpid()) {
		t.Errorf("%v", out)
	}
	if out, _ := call(t, exitOK, "--loopback", "core/gc"); len(out) != 0 {
		t.Errorf("%v", out)
	}
	status, stdout, _ := runNow(t, nil, "rc", "--loopback")
	if status != exitOK || !strings.Contains(stdout, "rc/noop: Echo the input.\n    Returns") {
		t.Errorf("%d: %s", status, stdout)
	}
}

// A signal ends the wait for a slow answer.
func TestRCClientCanBeInterrupted(t *testing.T) {
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection seen
		close(asked)
		<-r.Context().Done()
	}))
	defer s.Close()
	signals := make(chan os.Signal, 1)
	p := process{args: []string{"rc", "--url", s.URL, "slow"}, stdout: io.Discard, stderr: io.Discard, signals: signals}
	status := make(chan int, 1)
	go func() { status <- p.run(t.Context()) }()
	<-asked
	signals <- syscall.SIGINT
	select {
	case got := <-status:
		if got != exitFailure {
			t.Errorf("status %d", got)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits on")
	}
}
