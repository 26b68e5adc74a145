package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"ferry/bench/link"
	"ferry/bench/phantom"
)

// layoutPhantom starts an S3 server in this process whose bucket is made up, but for the large file
// and a small one.
func layoutPhantom(ctx context.Context, b *bench) error {
	if err := b.makeTop(); err != nil {
		return err
	}
	b.root = b.top
	if err := errors.Join(os.Mkdir(filepath.Join(b.root, "up"), 0o755), writeBig(b.source(), b.scale.bigBytes)); err != nil {
		return err
	}
	small := filepath.Join(b.top, "small")
	if err := os.WriteFile(small, make([]byte, b.scale.smallBytes), 0o644); err != nil {
		return err
	}
	dirs := make(map[string]int)
	for _, n := range entryCounts {
		dirs[entriesDir(n)] = n
	}
	bucket := phantom.New(map[string]string{"big": b.source(), smallName(0): small}, dirs)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f := &storage{
		direct: ln.Addr().String(), requests: func() (int, error) { return bucket.Requests(), nil },
		what: fmt.Sprintf("an S3 server of the bench itself whose listings are made up, at %v per round trip", network.Latency),
	}
	server := &http.Server{Handler: bucket}
	go func() { _ = server.Serve(ln) }() // until it is closed
	f.stop = func() { _ = server.Close() }
	b.far = f
	return f.open(ctx, b, link.Options{Latency: network.Latency})
}

// phantomWorkloads lists the rows over that bucket. In it nothing can be stored.
func phantomWorkloads() []workload {
	all := []workload{
		{name: "far-uncapped", title: func(s scale) string { return retrTitle(s) + ", no limit but the round trip" }, run: phantomRetr, metrics: phantomMetrics()},
		{name: "far-beside", title: func(s scale) string { return retrTitle(s) + ", S3 server beside it" }, run: phantomRetr, metrics: phantomMetrics(),
			flags: func(b *bench, _ string) []string { return []string{"--s3-endpoint", "http://" + b.far.direct} }},
	}
	for _, n := range entryCounts {
		all = append(all, workload{
			name: fmt.Sprintf("far-entries-%d", n), curve: "cold LIST over S3", over: "entries", x: n, only: []string{"ferry", rcloneTuned},
			title: func(scale) string { return fmt.Sprintf("cold LIST of %s objects", thousands(n)) },
			metrics: []metric{{unit: "us per entry", digits: 1}, {unit: "CPU us per entry", digits: 1}, {unit: "ms to first byte", digits: 0},
				{unit: "peak RSS MiB", digits: 1}, {unit: "requests"}},
			run: phantomList(n),
		})
	}
	return all
}

func phantomMetrics() []metric {
	return []metric{{unit: "MB/s", higher: true}, {unit: "CPU s/GiB", digits: 2}, {unit: "peak RSS MiB", digits: 1}, {unit: "requests"}}
}

// phantomRetr measures a download in a session that has read another file before.
func phantomRetr(b *bench, in *instance) ([]float64, error) {
	c, err := in.session()
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.retr(smallName(0), int64(b.scale.smallBytes)); err != nil {
		return nil, err
	}
	return retrFar(b, in, c)
}

func phantomList(n int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		l, u, err := firstListing(b, in, entriesDir(n), n)
		if err != nil {
			return nil, err
		}
		rss, err := in.tree.peakRSS()
		each := 1e6 / float64(n)
		return []float64{l.total.Seconds() * each, u.cpu.Seconds() * each, float64(l.first) / float64(time.Millisecond), float64(rss) / (1 << 20),
			u.requests}, err
	}
}
