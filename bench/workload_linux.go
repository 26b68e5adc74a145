package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// A workload is what one measurement does; it gives one value for each metric.
type workload struct {
	name    string // as in -rows
	title   func(scale) string
	secure  bool
	metrics []metric
	run     func(*bench, *instance) ([]float64, error)

	curve string // of the picture's panel that the figures are points of, over x
	over  string // what x counts
	x     int    // 0 = no curve; rows of more than the scale's most are left out

	flags  func(b *bench, server string) []string // for launch; nil = none
	users  bool                                   // b.usersFile() says who may log in
	only   []string                               // servers that it is for; nil = all
	rounds int                                    // 0 = those of the scale
	needs  func(context.Context, *bench) string   // why it cannot be measured at all; nil and "" = it can
}

func retrTitle(s scale) string { return "RETR " + sizeText(s.bigBytes) }
func storTitle(s scale) string { return "STOR " + sizeText(s.bigBytes) }

func overTLS(title func(scale) string) func(scale) string {
	return func(s scale) string { return title(s) + " over TLS 1.3" }
}

func streams(title func(scale) string) func(scale) string {
	return func(s scale) string { return fmt.Sprintf("%s, %d at once", title(s), s.streams) }
}

func listTitle(command string) func(scale) string {
	return func(s scale) string { return fmt.Sprintf("%s of %s files", command, thousands(s.listFiles)) }
}

// rows are the lines of the table that w fills.
func (w workload) rows(s scale) []row {
	var rows []row
	for i, m := range w.metrics {
		rows = append(rows, row{w.name, w.title(s), m, i, point{w.curve, w.over, w.x}})
	}
	return rows
}

func smallTitle(s scale) string {
	return fmt.Sprintf("%s files of %s, %d sessions", thousands(s.smallFiles), sizeText(int64(s.smallBytes)), s.sessions)
}

func bulkMetrics() []metric {
	return []metric{{unit: "CPU s/GiB", digits: 2}, {unit: "GB/s", digits: 2, higher: true}}
}
func smallMetrics() []metric {
	return []metric{{unit: "files/s", higher: true}, {unit: "CPU ms/file", digits: 3}, {unit: "p99 ms", digits: 2}}
}
func listMetrics() []metric {
	return []metric{{unit: "ms in all", digits: 0}, {unit: "ms to first byte", digits: 1}, {unit: "peak RSS MiB", digits: 1}}
}
func loginMetrics() []metric {
	return []metric{{unit: "per s", higher: true}, {unit: "CPU ms each", digits: 3}}
}
func idleMetrics() []metric { return []metric{{unit: "KiB each", digits: 1}} }

// checkUploads requires that every file in up/ has the given size.
func (b *bench) checkUploads(size int64) error {
	entries, err := b.uploads()
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Size() != size {
			return fmt.Errorf("%s has %d bytes of %d after 226", e.Name(), info.Size(), size)
		}
	}
	return nil
}

// uploads are what was stored since the last clearUploads.
func (b *bench) uploads() ([]os.DirEntry, error) { return os.ReadDir(filepath.Join(b.root, "up")) }

// A use is what a piece of work took: time, and CPU time of the server.
type use struct{ took, cpu time.Duration }

func timed(in *instance, work func() error) (use, error) {
	before, err := in.tree.cpu()
	if err != nil {
		return use{}, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return use{}, err
	}
	took := time.Since(start)
	after, err := in.tree.cpu()
	return use{took, after - before}, err
}

// each runs n pieces of work in parallel and returns one of their errors.
func each(n int, work func(i int) error) error {
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range n {
		wg.Go(func() {
			if err := work(i); err != nil {
				failed.Store(&err)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
