package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// deafListener is where connection attempts get no answer: its queue is full.
func deafListener(t *testing.T) netip.AddrPort {
	t.Helper()
	local := netip.MustParseAddr("127.0.0.1")
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: local.As4()}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	target := netip.AddrPortFrom(local, uint16(sa.(*syscall.SockaddrInet4).Port))
	for range 10 {
		d := net.Dialer{Timeout: 50 * time.Millisecond}
		conn, err := d.Dial("tcp", target.String())
		if err != nil {
			return target
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("the queue of a listener does not fill up")
	return target
}

func TestActiveIsInterrupted(t *testing.T) {
	target := deafListener(t)
	if _, err := newActive(target.Addr(), target, 20*time.Millisecond).open(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("open without an answer: %v", err)
		}
	}
	a := newActive(target.Addr(), target, time.Minute)
	opened := make(chan error, 1)
	go func() {
		_, err := a.open(t.Context())
		opened <- err
	}()
	a.close() // before or during open: either fails it
	if err := <-opened; err == nil {
		t.Error("open succeeded after close")
	}
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(t.Context())
	b := newActive(target.Addr(), target, time.Minute)
	go func() {
		_, err := b.open(ctx)
		opened <- err
	}()
	cancel(cause)
	if err := <-opened; err != cause {
		t.Errorf("open: %v, want the cause of its context", err)
	}
}
