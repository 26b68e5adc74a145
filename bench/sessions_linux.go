package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"
)

func smallUp(b *bench, in *instance) ([]float64, error) {
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	values, err := small(b, in, func(c *client, i int) error { return c.stor(fmt.Sprintf("up/file-%05d.dat", i), body) })
	return values, errors.Join(err, b.checkUploads(int64(len(body))))
}

func smallDown(b *bench, in *instance) ([]float64, error) {
	return small(b, in, func(c *client, i int) error { return c.retr(smallName(i), int64(b.scale.smallBytes)) })
}

// small shares the small files out among sessions that are logged in already.
func small(b *bench, in *instance, one func(c *client, i int) error) ([]float64, error) {
	clients := make([]*client, b.scale.sessions)
	for i := range clients {
		c, err := in.session()
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		clients[i] = c
		if err := c.retr(smallName(0), int64(b.scale.smallBytes)); err != nil {
			return nil, err
		}
	}
	u, err := timed(in, func() error {
		return each(len(clients), func(k int) error {
			for i := k; i < b.scale.smallFiles; i += len(clients) {
				if err := one(clients[k], i); err != nil {
					return err
				}
			}
			return nil
		})
	})
	n := float64(b.scale.smallFiles)
	return []float64{n / u.took.Seconds(), u.cpu.Seconds() * 1000 / n}, err
}

// listing measures command on the large directory: the median time of some, and what it left the
// server's memory at.
func listing(command string) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		c, err := in.session()
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		if err := c.do("CWD many", "250"); err != nil {
			return nil, err
		}
		var total, first []float64
		for range b.scale.listRepeats {
			l, err := c.list(command)
			if err != nil {
				return nil, err
			}
			if l.lines < b.scale.listFiles {
				return nil, fmt.Errorf("%s: %d lines for %d files", command, l.lines, b.scale.listFiles)
			}
			total, first = append(total, l.total.Seconds()*1000), append(first, l.first.Seconds()*1000)
		}
		rss, err := in.tree.peakRSS()
		return []float64{median(total), median(first), float64(rss) / (1 << 20)}, err
	}
}

// A listed is what one listing took, counted from the moment before the command was sent.
type listed struct {
	first, total time.Duration
	lines        int
}

// list lists the working directory.
func (c *client) list(command string) (l listed, err error) {
	var start time.Time
	err = c.transfer(command, func(data io.ReadWriteCloser) error {
		start = c.sent
		buf := c.scratch()
		for {
			n, err := data.Read(buf)
			if l.first == 0 {
				l.first = time.Since(start)
			}
			l.lines += bytes.Count(buf[:n], []byte{'\n'})
			if err == io.EOF {
				return data.Close()
			}
			if err != nil {
				return errors.Join(err, data.Close())
			}
		}
	})
	l.total = time.Since(start)
	return l, err
}

// logins measures connect, login and quit, some at a time for a fixed time.
func logins(b *bench, in *instance) ([]float64, error) {
	var n atomic.Int64
	u, err := timed(in, func() error {
		end := time.Now().Add(b.scale.loginTime)
		return each(b.scale.sessions, func(int) error {
			for time.Now().Before(end) {
				c, err := connect(in.addr, in.tls)
				if err != nil {
					return err
				}
				if err := errors.Join(c.login(in.user, in.pass), c.quit()); err != nil {
					return err
				}
				n.Add(1)
			}
			return nil
		})
	})
	done := float64(n.Load())
	return []float64{done / u.took.Seconds(), u.cpu.Seconds() * 1000 / done}, err
}

// idle measures what memory a session costs that has logged in and does nothing.
func idle(b *bench, in *instance) ([]float64, error) {
	var clients []*client
	defer func() {
		for _, c := range clients {
			c.conn.Close()
		}
	}()
	open := func(n int) error {
		fresh := make([]*client, n)
		err := each(b.scale.sessions, func(k int) (err error) {
			for i := k; i < n && err == nil; i += b.scale.sessions {
				fresh[i], err = in.session()
			}
			return err
		})
		clients = append(clients, slices.DeleteFunc(fresh, func(c *client) bool { return c == nil })...)
		return err
	}
	// Some come first, so that what a server allocates once is not counted.
	if err := open(b.scale.sessions); err != nil {
		return nil, err
	}
	before, err := in.tree.pss()
	if err != nil {
		return nil, err
	}
	if err := open(b.scale.idleSessions); err != nil {
		return nil, err
	}
	after, err := in.tree.pss()
	return []float64{float64(after-before) / 1024 / float64(b.scale.idleSessions)}, err
}
