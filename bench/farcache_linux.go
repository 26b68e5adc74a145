package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeBack is how long ferry and rclone wait by default before they send what was written to the
// cache.
const writeBack = 5 * time.Second

// drainLimit is how long they may take to send it.
const drainLimit = 2 * time.Minute

// cached are the flags for a cache mode, with a cache that is empty.
func cached(mode string, more ...string) func(b *bench, server string) []string {
	return func(b *bench, _ string) []string {
		return append([]string{"--vfs-cache-mode", mode, "--cache-dir", b.cacheDir()}, more...)
	}
}

// cacheWorks says why a cache cannot be measured: ferry warns of flags that have no effect.
func cacheWorks(ctx context.Context, b *bench) string {
	for _, s := range b.servers {
		if s.name != "ferry" {
			continue
		}
		in, err := b.start(ctx, s, launch{flags: cached("full")(b, s.name)})
		if err != nil {
			return err.Error()
		}
		defer in.tree.stop()
		text, err := os.ReadFile(in.log)
		if err != nil {
			return err.Error()
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "vfs-cache-mode") && strings.Contains(line, "WARN") {
				return "ferry has no cache yet"
			}
		}
	}
	return ""
}

// cachedRetr measures downloads after the first one.
func cachedRetr(b *bench, in *instance) ([]float64, error) {
	c, err := farSession(b, in)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.retr("big", b.scale.bigBytes); err != nil {
		return nil, err
	}
	u, err := timed(in, func() (err error) {
		for i := 0; i < b.scale.cachedRepeats && err == nil; i++ {
			err = c.retr("big", b.scale.bigBytes)
		}
		return err
	})
	size := float64(b.scale.bigBytes) * float64(b.scale.cachedRepeats)
	return []float64{size / 1e9 / u.took.Seconds(), u.cpu.Seconds() / (size / (1 << 30))}, err
}

func cachedStor(b *bench, in *instance) ([]float64, error) {
	u, err := farStorBig(b, in)
	if err != nil {
		return nil, err
	}
	drained, err := b.drained(in, u.took, 1, b.scale.storBytes)
	return []float64{u.took.Seconds(), drained.Seconds()}, err
}

func cachedSmallUp(b *bench, in *instance) ([]float64, error) {
	u, err := farStorSmall(b, in)
	if err != nil {
		return nil, err
	}
	drained, err := b.drained(in, u.took, b.scale.smallFiles, int64(b.scale.smallBytes))
	n := float64(b.scale.smallFiles)
	return []float64{n / u.took.Seconds(), n / drained.Seconds()}, err
}

// drained waits until up/ in the bucket has n files of that size, and returns how long that took
// from the beginning of the uploads, which have taken so long themselves, without the wait before
// anything is sent.
func (b *bench) drained(in *instance, took time.Duration, n int, size int64) (time.Duration, error) {
	began := time.Now().Add(-took)
	err := fmt.Errorf("not everything is in the bucket after %v", drainLimit)
	until(context.Background(), drainLimit, func() bool {
		select {
		case <-in.tree.ended:
			err = errors.New("the server ended before everything was in the bucket")
			return true
		default:
		}
		entries, e := os.ReadDir(filepath.Join(b.root, "up"))
		if e != nil {
			err = e
			return true
		}
		if len(entries) < n || b.checkUploads(size) != nil {
			return false
		}
		err = nil
		return true
	})
	return time.Since(began) - writeBack, err
}
