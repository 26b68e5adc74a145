package main

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"
)

// A step is a command of a busy session; its duration counts to the last reply.
type step struct {
	name string
	run  func(c *client) error
}

// busySteps are what the sessions of the busy row do in turn; the session has up/ as a place of its
// own by the name of file.
func busySteps(b *bench, file string) []step {
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	return []step{
		{"SIZE", func(c *client) error { return c.do("SIZE "+smallName(1), "213") }},
		{"CWD", func(c *client) error { return c.do("CWD few", "250") }},
		{"LIST", func(c *client) error {
			l, err := c.list("LIST")
			if err == nil && l.lines < b.scale.fewFiles {
				err = fmt.Errorf("LIST: %d lines for %d files", l.lines, b.scale.fewFiles)
			}
			return err
		}},
		{"CWD", func(c *client) error { return c.do("CWD ..", "250") }},
		{"STOR", func(c *client) error { return c.stor(file, body) }},
		{"RETR", func(c *client) error { return c.retr(smallName(1), int64(len(body))) }},
	}
}

// busyNames are the commands that the row has figures of.
var busyNames = []string{"SIZE", "CWD", "LIST", "STOR", "RETR"}

func busyTitle(s scale) string { return fmt.Sprintf("%d busy sessions", s.busySessions) }

func busyMetrics() []metric {
	var all []metric
	for _, name := range busyNames {
		all = append(all, metric{unit: name + " p50 ms", digits: 2}, metric{unit: name + " p99 ms", digits: 2})
	}
	return append(all, metric{unit: "CPU ms/command", digits: 3})
}

// busy measures how long commands take in many sessions at once. Each begins one in every period of
// its own, which is far from saturation, while a few of the sessions download the large file at a
// steady rate.
func busy(b *bench, in *instance) ([]float64, error) {
	clients, err := in.sessions(b.scale.busySessions)
	defer closeAll(clients)
	if err != nil {
		return nil, err
	}
	transfers := max(len(clients)/20, 1)
	end := time.Now().Add(b.scale.busyTime)
	taken := make([]map[string][]float64, len(clients))
	var commands atomic.Int64
	u, err := timed(in, func() error {
		return each(len(clients), func(i int) (err error) {
			if i < transfers {
				return steadily(clients[i], "big", end)
			}
			taken[i], err = periodically(clients[i], busySteps(b, fmt.Sprintf("up/busy-%d", i)), i, end)
			for _, t := range taken[i] {
				commands.Add(int64(len(t)))
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	var values []float64
	for _, name := range busyNames {
		var all []float64
		for _, t := range taken {
			all = append(all, t[name]...)
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("no %s was made in %v", name, b.scale.busyTime)
		}
		values = append(values, median(all), percentile(all, 0.99))
	}
	return append(values, u.cpu.Seconds()*1000/float64(commands.Load())), nil
}

// busyPeriod is the time from one command of a busy session to the next.
const busyPeriod = 100 * time.Millisecond

// periodically takes the steps in turn until end and returns the milliseconds of each by its name.
// A step that is late by more than a period, as the one before took long, counts from when it was
// due.
func periodically(c *client, steps []step, session int, end time.Time) (map[string][]float64, error) {
	taken := make(map[string][]float64)
	due := time.Now().Add(busyPeriod * time.Duration(session%97) / 97)
	for i := session; due.Before(end); i++ {
		time.Sleep(time.Until(due))
		began := time.Now()
		if began.Sub(due) > busyPeriod {
			began = due
		}
		s := steps[(i-session)%len(steps)]
		if err := s.run(c); err != nil {
			return taken, err
		}
		taken[s.name] = append(taken[s.name], time.Since(began).Seconds()*1000)
		due = due.Add(busyPeriod)
	}
	return taken, nil
}

// steadyRate is what a session that downloads steadily takes, in bytes per second.
const steadyRate = 20e6

// steadily downloads name at steadyRate until end, and breaks off.
func steadily(c *client, name string, end time.Time) error {
	d, err := begin(c, name)
	if err != nil {
		return err
	}
	defer func() { d.Close() }()
	block := make([]byte, steadyRate/100)
	for due := time.Now(); due.Before(end); due = due.Add(time.Second / 100) {
		time.Sleep(time.Until(due))
		n, err := d.take(block)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := d.Close(); err != nil {
			return err
		}
		if _, err := c.expect("RETR "+name, "226"); err != nil {
			return err
		}
		if d, err = begin(c, name); err != nil {
			return err
		}
	}
	return nil
}
