package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/listen"
)

// runNow runs a command that ends by itself.
func runNow(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := process{args: args, env: env, stdout: &out, stderr: &errs}
	status = p.run(t.Context())
	return status, out.String(), errs.String()
}

// A running is a server in this process.
type running struct {
	signals chan os.Signal
	status  chan int
	serving chan string // the URL of each listener
	stop    context.CancelFunc

	mu    sync.Mutex
	log   []string   // guarded by mu
	ended bool       // guarded by mu
	grown *sync.Cond // by mu
}

// start runs a server with a place for its files and stops it when the test ends.
func start(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	return startBare(t, env, append([]string{"--cache-dir", t.TempDir()}, args...)...)
}

// startBare is start without a flag of its own.
func startBare(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	return startProcess(t, process{args: args, env: env})
}

// startProcess runs a server that is p with arguments behind "serve ftp".
func startProcess(t *testing.T, p process) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{
		signals: make(chan os.Signal, 2),
		status:  make(chan int, 1),
		serving: make(chan string, 16),
		stop:    cancel,
	}
	r.grown = sync.NewCond(&r.mu)
	pr, pw := io.Pipe()
	p.args = append([]string{"serve", "ftp"}, p.args...)
	p.stdout, p.stderr, p.signals = io.Discard, pw, r.signals
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var reader sync.WaitGroup
		reader.Go(func() { r.read(pr) })
		status := p.run(ctx)
		pw.Close()
		reader.Wait()
		r.status <- status
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return r
}

func (r *running) read(log io.Reader) {
	defer func() {
		close(r.serving)
		r.mu.Lock()
		r.ended = true
		r.mu.Unlock()
		r.grown.Broadcast()
	}()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		line := lines.Text()
		r.mu.Lock()
		r.log = append(r.log, line)
		r.mu.Unlock()
		r.grown.Broadcast()
		if _, url, ok := strings.Cut(line, "serving FTP on "); ok {
			r.serving <- url
		}
	}
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.log, "\n")
}

// waitFor waits until the log says something.
func (r *running) waitFor(t *testing.T, text string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !strings.Contains(strings.Join(r.log, "\n"), text) {
		if r.ended {
			t.Fatalf("%q is missing:\n%s", text, strings.Join(r.log, "\n"))
		}
		r.grown.Wait()
	}
}

// url waits for the next listener.
func (r *running) url(t *testing.T) string {
	t.Helper()
	url, ok := <-r.serving
	if !ok {
		t.Fatalf("the server ended:\n%s", r.logged())
	}
	return url
}

// wait waits for the exit status.
func (r *running) wait(t *testing.T) int {
	t.Helper()
	select {
	case s := <-r.status:
		return s
	case <-time.After(time.Minute):
		t.Fatalf("the server does not end:\n%s", r.logged())
		return -1
	}
}

// A client is a control connection.
type client struct {
	*textproto.Conn
	t    *testing.T
	host string // the server's
}

func dial(t *testing.T, url string) client {
	t.Helper()
	c := dialRaw(t, url)
	c.want(220)
	return c
}

// dialRaw leaves the greeting to the caller.
func dialRaw(t *testing.T, url string) client {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "ftp://"))
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := client{textproto.NewConn(conn), t, host}
	t.Cleanup(func() { c.Close() })
	return c
}

func (c client) want(code int) string {
	c.t.Helper()
	_, text, err := c.ReadResponse(code)
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

func (c client) cmd(code int, line string) string {
	c.t.Helper()
	if err := c.PrintfLine("%s", line); err != nil {
		c.t.Fatal(err)
	}
	return c.want(code)
}

// upload begins an upload and leaves its data connection open.
func (c client) upload(name string) net.Conn {
	c.t.Helper()
	reply := c.cmd(229, "EPSV")
	port := strings.Trim(reply[strings.Index(reply, "("):], "(|)")
	data, err := net.Dial("tcp", net.JoinHostPort(c.host, port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { data.Close() })
	c.cmd(150, "STOR "+name)
	return data
}

func TestServe(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "sesame", "--passive-port", "0", "-v")
	c := dial(t, r.url(t))
	c.cmd(331, "USER bob")
	c.cmd(530, "PASS open")
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS sesame")
	data := c.upload("f")
	if _, err := io.WriteString(data, "hello"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	if got := c.cmd(213, "SIZE f"); got != "5" {
		t.Errorf("SIZE says %q", got)
	}
	if strings.Contains(r.logged(), "sesame") || !strings.Contains(r.logged(), "INFO") {
		t.Errorf("the log:\n%s", r.logged())
	}
}

func TestTermStopsAnIdleServerAtOnce(t *testing.T) {
	for name, ask := range map[string]func(*running){
		"SIGTERM":            func(r *running) { r.signals <- syscall.SIGTERM },
		"SIGINT":             func(r *running) { r.signals <- os.Interrupt },
		"end of the context": func(r *running) { r.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0")
			c := dial(t, r.url(t))
			began := time.Now()
			ask(r)
			c.want(421)
			if status := r.wait(t); status != exitOK || time.Since(began) > 20*time.Second {
				t.Errorf("status %d after %v:\n%s", status, time.Since(began), r.logged())
			}
		})
	}
}

func TestARunningTransferMayFinish(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	data := c.upload("f")
	r.signals <- syscall.SIGTERM
	if _, err := io.WriteString(data, "the rest"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	c.want(421)
	if status := r.wait(t); status != exitOK {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestATransferThatTakesTooLongIsAborted(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--shutdown-timeout", "10ms")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.upload("f")
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK || !strings.Contains(r.logged(), "aborted") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--shutdown-timeout", "1h")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.upload("f")
	r.signals <- syscall.SIGTERM
	r.signals <- syscall.SIGHUP // does not count
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitFailure || !strings.Contains(r.logged(), "ferry: stopped at once") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

func TestLocalhostIsEveryLoopbackAddress(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "localhost:0")
	var ports []string
	for range listen.LoopbackHosts() {
		url := r.url(t)
		dial(t, url)
		ports = append(ports, url[strings.LastIndexByte(url, ':'):])
	}
	for _, port := range ports {
		if port != ports[0] || port == ":0" {
			t.Errorf("the ports are %v", ports)
		}
	}
}

func TestSeveralAddresses(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--addr", "127.0.0.1:0,127.0.0.1:0")
	seen := map[string]bool{}
	for range 3 {
		url := r.url(t)
		dial(t, url)
		seen[url] = true
	}
	if len(seen) != 3 {
		t.Errorf("listening on %v", seen)
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		addr := net.JoinHostPort(host, port)
		status, _, stderr := runNow(t, nil, "serve", "ftp", ":memory:", "--addr", "127.0.0.1:0", "--addr", addr)
		if status != exitFailure || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--addr \""+addr) || !strings.Contains(stderr, "choose another") {
			t.Errorf("status %d: %s", status, stderr)
		}
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  []string
		want string // "" = no warning
	}{
		{"anybody from anywhere", []string{"--addr", ":0"}, nil, "can read and change everything: there is no --pass"},
		{"anybody from anywhere, read-only", []string{"--addr", ":0", "--read-only"}, nil, "can read everything: there is no --pass"},
		{"a password", []string{"--addr", ":0", "--pass", "x"}, nil, ""},
		{"this machine only", []string{"--addr", "127.0.0.1:0"}, nil, ""},
		{"old TLS", []string{"--addr", "127.0.0.1:0", "--tls", "self-signed", "--min-tls-version", "tls1.0"}, nil, "--min-tls-version 1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.env, append(tt.args, ":memory:")...)
			r.url(t)
			warned := strings.Contains(r.logged(), "WARN")
			if warned != (tt.want != "") || !strings.Contains(r.logged(), tt.want) {
				t.Errorf("the log:\n%s", r.logged())
			}
		})
	}
}

func TestHangupReadsTheCertificateAgain(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--implicit-tls-addr", "127.0.0.1:0", "--tls", "self-signed")
	plain, implicit := r.url(t), r.url(t)
	if !strings.HasPrefix(plain, "ftp://") || !strings.HasPrefix(implicit, "ftps://") {
		t.Errorf("serving on %s and %s", plain, implicit)
	}
	c := dial(t, plain)
	c.cmd(234, "AUTH TLS")
	r.signals <- syscall.SIGHUP
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK || !strings.Contains(r.logged(), "read the certificate again") || !strings.Contains(r.logged(), "sha256=") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}
