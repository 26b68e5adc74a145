package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

func smallUp(b *bench, in *instance) ([]float64, error) {
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	values, err := small(b, in, b.scale.sessions, func(c *client, i int) error { return c.stor(fmt.Sprintf("up/file-%05d.dat", i), body) })
	return values, errors.Join(err, b.checkUploads(int64(len(body))))
}

func smallDown(b *bench, in *instance) ([]float64, error) {
	return small(b, in, b.scale.sessions, func(c *client, i int) error { return c.retr(smallName(i), int64(b.scale.smallBytes)) })
}

// small shares the small files out among sessions that are logged in already.
func small(b *bench, in *instance, sessions int, one func(c *client, i int) error) ([]float64, error) {
	clients, err := in.sessions(sessions)
	defer closeAll(clients)
	if err != nil {
		return nil, err
	}
	for _, c := range clients {
		if err := c.retr(smallName(0), int64(b.scale.smallBytes)); err != nil {
			return nil, err
		}
	}
	taken := make([]float64, b.scale.smallFiles)
	u, err := timed(in, func() error {
		return each(len(clients), func(k int) error {
			for i := k; i < b.scale.smallFiles; i += len(clients) {
				began := time.Now()
				if err := one(clients[k], i); err != nil {
					return err
				}
				taken[i] = time.Since(began).Seconds() * 1000
			}
			return nil
		})
	})
	n := float64(b.scale.smallFiles)
	return []float64{n / u.took.Seconds(), u.cpu.Seconds() * 1000 / n, percentile(taken, 0.99)}, err
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
			if l.total > 5*time.Second {
				break // what takes long needs no median
			}
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
	return loginsOf(b, in, func(int) (string, string) { return in.user, in.pass })
}

// loginsOf does so with the user and password of the i-th login.
func loginsOf(b *bench, in *instance, who func(i int) (user, pass string)) ([]float64, error) {
	var n atomic.Int64
	u, err := timed(in, func() error {
		end := time.Now().Add(b.scale.loginTime)
		return each(b.scale.sessions, func(k int) error {
			for i := k; time.Now().Before(end); i += b.scale.sessions {
				user, pass := who(i)
				if err := in.logInOut(user, pass); err != nil {
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

// logInOut is one login, from the connection to the goodbye.
func (in *instance) logInOut(user, pass string) error {
	c, err := connect(in.addr, in.tls)
	if err != nil {
		return err
	}
	return errors.Join(c.login(user, pass), c.quit())
}

// idle measures what memory a session costs that has logged in and does nothing.
func idle(b *bench, in *instance) ([]float64, error) {
	// Some come first, so that what a server allocates once is not counted.
	first, err := in.sessions(b.scale.sessions)
	defer closeAll(first)
	if err != nil {
		return nil, err
	}
	before, err := in.tree.pss()
	if err != nil {
		return nil, err
	}
	clients, err := in.sessions(b.scale.idleSessions)
	defer closeAll(clients)
	if err != nil {
		return nil, err
	}
	after, err := in.tree.pss()
	return []float64{float64(after-before) / 1024 / float64(b.scale.idleSessions)}, err
}
