package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A manager is what systemd is to a service: it has the sockets, and hears how the service is.
type manager struct {
	t     *testing.T
	names []string
	files []*os.File
	told  *net.UnixConn
	env   []string
}

// newManager listens on a port of 127.0.0.1 for each of the names.
func newManager(t *testing.T, names ...string) (m *manager, addrs []string) {
	t.Helper()
	m = &manager{t: t, names: names}
	for range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		l.Close() // the file listens on
		t.Cleanup(func() { file.Close() })
		m.files, addrs = append(m.files, file), append(addrs, l.Addr().String())
	}
	socket := filepath.Join(t.TempDir(), "notify")
	var err error
	if m.told, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.told.Close() })
	m.env = []string{
		"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000",
		fmt.Sprintf("LISTEN_FDS=%d", len(names)), "LISTEN_FDNAMES=" + strings.Join(names, ":"),
	}
	return m, addrs
}

// start starts ferry as a service with the sockets.
func (m *manager) start(args ...string) *process {
	m.t.Helper()
	dir := m.t.TempDir()
	p := &process{log: newLogBuffer(), done: make(chan struct{})}
	p.cmd = exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, ferryBinary}, args...)...)
	p.cmd.Dir, p.cmd.ExtraFiles = dir, m.files
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CACHE_HOME=" + dir + "/.cache", "GORACE=atexit_sleep_ms=0"}, m.env...)
	if err := p.run(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		p.kill()
		if m.t.Failed() {
			m.t.Logf("log of ferry:\n%s", p.log)
		}
		if strings.Contains(p.log.String(), "DATA RACE") {
			m.t.Errorf("data race in ferry:\n%s", p.log)
		}
	})
	return p
}

// hears waits until the manager is told something that matches.
func (m *manager) hears(pattern string) {
	m.t.Helper()
	want := regexp.MustCompile(`(?m)^` + pattern + `$`)
	m.told.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 4096)
	var all []string
	for {
		n, err := m.told.Read(b)
		if err != nil {
			m.t.Fatalf("the manager is not told %s, but %q", pattern, all)
		}
		if all = append(all, string(b[:n])); want.Match(b[:n]) {
			return
		}
	}
}

// knock connects again and again until stop is closed, and expects a greeting each time, which may
// take until the next process runs. A session of a process that stops ends with 421.
func knock(addr string, stop <-chan struct{}) (greeted int, err error) {
	for {
		select {
		case <-stop:
			return greeted, nil
		default:
		}
		conn, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			return greeted, fmt.Errorf("attempt %d: %w", greeted, err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		line, err := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if err != nil || !strings.HasPrefix(line, "220 ") && !strings.HasPrefix(line, "421 ") {
			return greeted, fmt.Errorf("attempt %d: %q, %w", greeted, line, err)
		}
		greeted++
	}
}

// A restart loses no attempt to connect, while a session of the old process ends what it is at.
func TestARestartLosesNoConnection(t *testing.T) {
	m, addrs := newManager(t, "ftp")
	root := t.TempDir()
	args := []string{"serve", "ftp", root, "--user", "bob", "--pass", "builder", "--addr", "192.0.2.1:1", "--shutdown-timeout", "30s"}
	first := m.start(args...)
	m.hears("READY=1")
	m.hears("STATUS=0 sessions, 0 transfers")
	m.hears("WATCHDOG=1")

	stop, failed := make(chan struct{}), make(chan error, 4)
	var knocking sync.WaitGroup
	for range cap(failed) {
		knocking.Go(func() {
			n, err := knock(addrs[0], stop)
			if err == nil && n == 0 {
				err = io.ErrNoProgress
			}
			failed <- err
		})
	}
	c := login(t, "", addrs[0])
	data := c.beginUpload("STOR a", []byte("first half, "))
	m.hears("WATCHDOG=1")
	if err := first.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	m.hears(`RELOADING=1\nMONOTONIC_USEC=\d+`)
	m.hears("READY=1")
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.hears("STOPPING=1")
	m.hears("EXTEND_TIMEOUT_USEC=20000000")
	if _, err := io.WriteString(data, "second half"); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.expect(226)
	if code, err := first.wait(); err != nil || code != 0 {
		t.Fatalf("the first ended with %d, %v", code, err)
	}
	m.start(args...)
	m.hears("READY=1")
	login(t, "", addrs[0]).do("SIZE a", 213)
	close(stop)
	knocking.Wait()
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestSocketsOfTheManagerAreServedByName(t *testing.T) {
	m, addrs := newManager(t, "rc", "ftp", "ftps", "metrics")
	m.start("serve", "ftp", ":memory:", "--user", "bob", "--pass", "builder", "--tls", "self-signed", "--rc", "--rc-no-auth")
	m.hears("READY=1")
	login(t, "", addrs[1]).do("QUIT", 221)
	secure, err := net.Dial("tcp", addrs[2])
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	secure.SetDeadline(time.Now().Add(patience))
	io.WriteString(secure, "no TLS\r\n")
	if b, _ := io.ReadAll(secure); strings.HasPrefix(string(b), "220") {
		t.Errorf("ftps greets in clear: %q", b)
	}
	for i, request := range map[int]string{0: "POST /rc/noop", 3: "GET /metrics"} {
		web, err := net.Dial("tcp", addrs[i])
		if err != nil {
			t.Fatal(err)
		}
		defer web.Close()
		web.SetDeadline(time.Now().Add(patience))
		io.WriteString(web, request+" HTTP/1.0\r\nHost: localhost\r\n\r\n")
		if line, err := bufio.NewReader(web).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Errorf("%s is answered %q, %v", request, line, err)
		}
	}
}

func TestSocketsThatNothingServesAreAnError(t *testing.T) {
	for name, want := range map[string]string{
		"telnet": `a socket called "telnet", and ferry knows acme-http, ftp, ftps, metrics, rc`,
		"rc":     "sockets that nothing serves: rc",
	} {
		m, _ := newManager(t, name)
		p := m.start("serve", "ftp", ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder")
		if code, err := p.wait(); err != nil || code == 0 || !strings.Contains(p.log.String(), want) {
			t.Errorf("%s: status %d, %v", name, code, err)
		}
	}
}
