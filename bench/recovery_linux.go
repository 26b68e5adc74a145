package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// waitingCounts are how many files wait to be sent when the server is killed.
var waitingCounts = []int{1000, 10_000, 100_000}

// recoveryWorkloads lists the points of the curve of starts after a kill.
func recoveryWorkloads() []workload {
	var all []workload
	for _, n := range waitingCounts {
		all = append(all, workload{
			name: fmt.Sprintf("waiting-%d", n), curve: "start after SIGKILL", over: "waiting files", x: n,
			title:   func(s scale) string { return fmt.Sprintf("killed while %s files wait", thousands(n)) },
			metrics: []metric{{unit: "s to the first login", digits: 2}, {unit: "s until nothing waits", digits: 1}, {unit: "CPU ms each", digits: 3}},
			only:    []string{"ferry"},
			flags:   cached("writes", "--vfs-write-back", "1h", "--vfs-write-ack", "spooled"),
			run:     recovery(n),
		})
	}
	return all
}

// recovery uploads n files into the cache, kills the server, and measures another one over the same
// cache, from its start on.
func recovery(n int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		if err := uploadMany(b, in, n); err != nil {
			return nil, err
		}
		in.tree.stop()
		began := time.Now()
		again, err := b.start(context.Background(), in.server, launch{flags: cached("writes", "--vfs-write-back", "0s")(b, in.name)})
		if err != nil {
			return nil, err
		}
		defer again.tree.stop()
		c, err := again.session()
		if err != nil {
			return nil, err
		}
		login := time.Since(began)
		defer c.conn.Close()
		err = b.arrived(again, n)
		sent := time.Since(began)
		cpu, cpuErr := again.tree.cpu()
		if err = errors.Join(err, cpuErr, b.checkUploads(int64(b.scale.smallBytes))); err != nil {
			return nil, err
		}
		return []float64{login.Seconds(), sent.Seconds(), cpu.Seconds() * 1000 / float64(n)}, nil
	}
}

// uploadMany uploads n files into up/.
func uploadMany(b *bench, in *instance, n int) error {
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	clients, err := in.sessions(b.scale.sessions)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	return each(len(clients), func(k int) error {
		for i := k; i < n; i += len(clients) {
			if err := clients[k].stor(fmt.Sprintf("up/file-%06d.dat", i), body); err != nil {
				return err
			}
		}
		return nil
	})
}

// arrived waits until n files are in up/, and looks seldom, as each look costs the server time.
func (b *bench) arrived(in *instance, n int) error {
	for end := time.Now().Add(drainLimit); time.Now().Before(end); {
		select {
		case <-in.tree.ended:
			return errors.New("the server ended before it had sent everything")
		case <-time.After(200 * time.Millisecond):
		}
		entries, err := os.ReadDir(filepath.Join(b.root, "up"))
		if err != nil || len(entries) >= n {
			return err
		}
	}
	return fmt.Errorf("not everything is sent after %v", drainLimit)
}
