package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// noSock is no socket; to close it does nothing.
const noSock sock = -1

// begin sends RETR in a session without TLS and returns its data connection when the server has
// answered 150. A session whose download was broken off is closed.
func begin(c *client, name string) (sock, error) {
	data, err := c.open("RETR " + name)
	if err != nil {
		return noSock, err
	}
	if _, err := c.expect("RETR "+name, "150", "125"); err != nil {
		data.Close()
		return noSock, err
	}
	return data.(sock), nil
}

// take waits for len(buf) bytes and leaves them in the kernel. Fewer are the end of the stream.
func (s sock) take(buf []byte) (int, error) {
	return s.truncated(buf, syscall.MSG_WAITALL)
}

// takeNow takes what is there, len(buf) bytes at most, and leaves it in the kernel.
func (s sock) takeNow(buf []byte) (int, error) {
	n, err := s.truncated(buf, syscall.MSG_DONTWAIT)
	if errors.Is(err, syscall.EAGAIN) {
		return 0, nil
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

func (s sock) truncated(buf []byte, flags int) (n int, err error) {
	err = retry(func() error { n, _, err = syscall.Recvfrom(int(s), buf, flags|syscall.MSG_TRUNC); return err })
	return max(n, 0), os.NewSyscallError("recvfrom", err)
}

// activeDown measures the memory of downloads whose clients are slow.
func activeDown(b *bench, in *instance) ([]float64, error) {
	return active(b, in, func(c *client, _ int) (io.Closer, error) { return begin(c, "big") })
}

// activeUp measures the memory of uploads that have brought something and go on later.
func activeUp(b *bench, in *instance) ([]float64, error) {
	body := make([]byte, 1<<20)
	return active(b, in, func(c *client, i int) (io.Closer, error) {
		name := fmt.Sprintf("STOR up/active-%d", i)
		data, err := c.open(name)
		if err != nil {
			return nil, err
		}
		if _, err = c.expect(name, "150", "125"); err == nil {
			_, err = data.Write(body)
		}
		return data, err
	})
}

// active measures what memory a session costs that is in the middle of a transfer.
func active(b *bench, in *instance, start func(c *client, i int) (io.Closer, error)) ([]float64, error) {
	before, err := in.warm(b)
	if err != nil {
		return nil, err
	}
	clients, err := in.sessions(b.scale.activeSessions)
	defer closeAll(clients)
	if err != nil {
		return nil, err
	}
	for i, c := range clients {
		data, err := start(c, i)
		if data != nil {
			defer data.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	after, err := in.tree.pss()
	return []float64{float64(after-before) / 1024 / float64(len(clients))}, err
}

// warm returns the memory of a server after some sessions that have come and gone, so that what it
// allocates once is not counted for those that follow.
func (in *instance) warm(b *bench) (int64, error) {
	before, err := in.tree.pids()
	if err != nil {
		return 0, err
	}
	clients, err := in.sessions(b.scale.sessions)
	for _, c := range clients {
		if err == nil {
			err = c.retr(smallName(0), int64(b.scale.smallBytes))
		}
	}
	closeAll(clients)
	if err != nil {
		return 0, err
	}
	// The processes of these sessions end soon, or are kept for others.
	until(context.Background(), 2*time.Second, func() bool {
		now, err := in.tree.pids()
		return err == nil && len(now) <= len(before)
	})
	return in.tree.pss()
}
