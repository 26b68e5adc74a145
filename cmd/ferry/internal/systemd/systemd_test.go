//go:build unix

package systemd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A listener hears what the service manager is told.
type listener struct{ conn *net.UnixConn }

func listen(t *testing.T) listener {
	t.Helper()
	addr := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", addr.Name)
	return listener{conn}
}

// next returns what is told next.
func (l listener) next(t *testing.T) string {
	t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 4096)
	n, err := l.conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestWhatTheManagerIsTold(t *testing.T) {
	l := listen(t)
	m := Find(slog.New(slog.DiscardHandler))
	m.Ready()
	if got := l.next(t); got != "READY=1" {
		t.Errorf("told %q", got)
	}
	m.Reloading()
	if got := l.next(t); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+$`).MatchString(got) {
		t.Errorf("told %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Stopping(ctx, func() string { return "2 transfers" })
	}()
	if got := l.next(t); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
	if got := l.next(t); got != "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=2 transfers" {
		t.Errorf("told %q", got)
	}
	cancel()
	<-done
}

// The watchdog gets a sign of life while the process is well, none while it is not, and again when
// it is.
func TestTheWatchdogIsToldOfHealth(t *testing.T) {
	l := listen(t)
	t.Setenv("WATCHDOG_USEC", "2000")
	var log strings.Builder
	m := Find(slog.New(slog.NewTextHandler(&log, nil)))
	var ill atomic.Bool
	var asked, sessions atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx, func() error {
			asked.Add(1)
			if ill.Load() {
				return errors.New("a listener has not gone on")
			}
			return nil
		}, func() string { return []string{"none", "some"}[sessions.Load()] })
	}()
	for _, want := range []string{"STATUS=none", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := l.next(t); got != want {
			t.Errorf("told %q, not %q", got, want)
		}
	}
	ill.Store(true)
	sessions.Store(1)
	for got := ""; got != "STATUS=some"; got = l.next(t) { // what was told before is passed over
	}
	for asked.Store(0); asked.Load() < 3; {
		time.Sleep(time.Millisecond)
	}
	l.conn.SetReadDeadline(time.Now())
	if n, err := l.conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("told %d bytes although it is not well", n)
	}
	ill.Store(false)
	if got := l.next(t); got != "WATCHDOG=1" {
		t.Errorf("told %q", got)
	}
	cancel()
	for {
		select {
		case <-done:
			if n := strings.Count(log.String(), "no sign of life"); n != 1 {
				t.Errorf("said %d times that the watchdog is told nothing", n)
			}
			return
		default:
			l.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, _ = l.conn.Read(make([]byte, 100)) // so that it is not kept waiting
		}
	}
}

func TestWithoutAManagerNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := Find(slog.New(slog.DiscardHandler))
	if m != nil {
		t.Fatal("there is one")
	}
	m.Ready()
	m.Reloading()
	m.Run(t.Context(), nil, nil)
	m.Stopping(t.Context(), nil)
	s, err := Inherit()
	if err != nil || s.Take(FTP) != nil || s.Unused() != nil {
		t.Errorf("there are sockets: %v", err)
	}
}

func TestCopiesListenUntilTheyAreClosed(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for range 2 {
		copies, err := Copies([]net.Listener{first})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", first.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := copies[0].Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		conn.Close()
		copies[0].Close()
	}
}
