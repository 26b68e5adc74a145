package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// ioLimit ends a read that a server leaves hanging, sendLimit a write: a server that has given an
// upload up may leave its data connection open.
const (
	ioLimit   = 2 * time.Minute // rclone lists a million objects before it sends a byte
	sendLimit = 15 * time.Second
)

// A sock is a blocking TCP socket without the runtime's poller around it: the fewest system calls a
// client can make.
type sock int

// dialSock connects, with a receive buffer of so many bytes, or of the system's size for 0.
func dialSock(addr netip.AddrPort, window int) (sock, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	read, write := syscall.NsecToTimeval(int64(ioLimit)), syscall.NsecToTimeval(int64(sendLimit))
	if window > 0 {
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, window)
	}
	err = errors.Join(err,
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &read),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &write),
		retry(func() error {
			return syscall.Connect(fd, &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())})
		}),
	)
	if err != nil {
		syscall.Close(fd)
		return 0, fmt.Errorf("connect %s: %w", addr, err)
	}
	return sock(fd), nil
}

func (s sock) Read(p []byte) (n int, err error) {
	err = retry(func() error { n, err = syscall.Read(int(s), p); return err })
	if err != nil {
		return 0, os.NewSyscallError("read", err)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s sock) Write(p []byte) (done int, err error) {
	for done < len(p) {
		var n int
		err = retry(func() error { n, err = syscall.Write(int(s), p[done:]); return err })
		if err != nil {
			return done, os.NewSyscallError("write", err)
		}
		done += n
	}
	return done, nil
}

func (s sock) Close() error {
	return syscall.Close(int(s))
}

// discard reads to the end of the stream and leaves the bytes in the kernel (MSG_TRUNC, tcp(7)).
// Only the length of buf matters.
func (s sock) discard(buf []byte) (total int64, err error) {
	for {
		var n int
		err = retry(func() error { n, _, err = syscall.Recvfrom(int(s), buf, syscall.MSG_TRUNC); return err })
		if err != nil {
			return total, os.NewSyscallError("recvfrom", err)
		}
		if n == 0 {
			return total, nil
		}
		total += int64(n)
	}
}

// sendFile writes size bytes of f without copying them through this process.
func (s sock) sendFile(f *os.File, size int64) error {
	for off := int64(0); off < size; {
		var n int
		err := retry(func() (err error) {
			n, err = syscall.Sendfile(int(s), int(f.Fd()), &off, int(min(size-off, 1<<30)))
			return err
		})
		if err != nil {
			return os.NewSyscallError("sendfile", err)
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// retry repeats a system call that a signal interrupted.
func retry(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
