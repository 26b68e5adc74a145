package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests. It is only used up when something is broken.
const patience = time.Minute

// serving is what ferry says for each address it listens on.
var serving = regexp.MustCompile(`serving FTP on (ftps?)://([^\s"]+)`)

// A process is a ferry that runs.
type process struct {
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{} // closed when it has ended; then code holds its exit status
	code int
}

// start runs ferry with args in dir. env is added to a bare environment.
func start(dir string, env []string, args ...string) (*process, error) {
	return startProgram(dir, env, ferryBinary, args...)
}

// startProgram is start for a program that becomes ferry.
func startProgram(dir string, env []string, program string, args ...string) (*process, error) {
	p := &process{log: newLogBuffer(), done: make(chan struct{})}
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CACHE_HOME=" + dir + "/.cache",
		"GORACE=atexit_sleep_ms=0"}, env...) // the race detector would linger for a second
	if err := p.run(); err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the command, and notes its end.
func (p *process) run() error {
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(p.done)
		err := p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			fmt.Fprintln(p.log, "waiting for ferry:", err)
		}
		p.log.close()
	}()
	return nil
}

// addresses waits for n announced listeners and returns their addresses, FTP ones first.
func (p *process) addresses(n int) ([]string, error) {
	var plain, secure []string
	_, err := p.log.waitFor(func(text string) bool {
		plain, secure = nil, nil
		for _, m := range serving.FindAllStringSubmatch(text, -1) {
			if m[1] == "ftps" {
				secure = append(secure, m[2])
			} else {
				plain = append(plain, m[2])
			}
		}
		return len(plain)+len(secure) >= n
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for %d listeners: %w", n, err)
	}
	return append(plain, secure...), nil
}

// stop asks ferry to end and returns its exit status; it is killed when it does not.
func (p *process) stop() (int, error) {
	select {
	case <-p.done:
		return p.code, nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	return p.wait()
}

// wait returns the exit status once ferry has ended by itself.
func (p *process) wait() (int, error) {
	select {
	case <-p.done:
		return p.code, nil
	case <-time.After(patience):
		p.kill()
		return 0, fmt.Errorf("ferry did not end within %v; its log:\n%s", patience, p.log)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// serve starts ferry on 127.0.0.1 for a Go test and stops it at the end. It returns the address
// too.
func serve(t *testing.T, root string, args ...string) (*process, string) {
	t.Helper()
	return serveBy(t, ferryBinary, append([]string{"serve", "ftp", root, "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder"}, args...)...)
}

// serveBy is serve for a program that becomes ferry with args of its own.
func serveBy(t *testing.T, program string, args ...string) (*process, string) {
	t.Helper()
	return serveWith(t, nil, program, args...)
}

// serveWith is serveBy with an environment.
func serveWith(t *testing.T, env []string, program string, args ...string) (*process, string) {
	t.Helper()
	p, err := startProgram(t.TempDir(), env, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of ferry:\n%s", p.log)
		}
		if strings.Contains(p.log.String(), "DATA RACE") {
			t.Errorf("data race in ferry:\n%s", p.log)
		}
	})
	addrs, err := p.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return p, addrs[0]
}

// A logBuffer collects what ferry prints and wakes those who wait for a line.
type logBuffer struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed and replaced at every change
	closed  bool
}

func newLogBuffer() *logBuffer { return &logBuffer{changed: make(chan struct{})} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	close(b.changed)
	b.changed = make(chan struct{})
	return len(p), nil
}

func (b *logBuffer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// waitFor returns what was printed as soon as good accepts it.
func (b *logBuffer) waitFor(good func(string) bool) (string, error) {
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		text, changed, closed := b.text.String(), b.changed, b.closed
		b.mu.Unlock()
		if good(text) {
			return text, nil
		}
		if closed {
			return "", fmt.Errorf("ferry ended; its log:\n%s", text)
		}
		select {
		case <-changed:
		case <-deadline:
			return "", fmt.Errorf("not within %v; the log:\n%s", patience, text)
		}
	}
}

// waitForLine waits until a line matches pattern.
func (b *logBuffer) waitForLine(pattern string) error {
	re, err := regexp.Compile(`(?m)` + pattern)
	if err != nil {
		return err
	}
	if _, err = b.waitFor(re.MatchString); err != nil {
		return fmt.Errorf("waiting for a line like %q: %w", pattern, err)
	}
	return nil
}
