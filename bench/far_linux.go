package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// farSession opens a session that has uploaded and downloaded already, so that connections are
// there.
func farSession(b *bench, in *instance) (*client, error) {
	c, err := in.session()
	if err != nil {
		return nil, err
	}
	err = c.do("MKD up", "257", "521", "550")
	if err == nil {
		err = c.retr(smallName(0), int64(b.scale.smallBytes))
	}
	if err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// A farUse is what a piece of work took, of the S3 server too.
type farUse struct {
	use
	requests float64
	grown    float64 // MiB of memory at the most, above what there was before
}

// farTimed is timed for work that makes requests.
func farTimed(b *bench, in *instance, work func() error) (farUse, error) {
	err := b.far.quiet(context.Background())
	before, err1 := b.far.requests()
	rss, err2 := in.tree.rss()
	if err := errors.Join(err, err1, err2); err != nil {
		return farUse{}, err
	}
	u, err := timed(in, work)
	if err != nil {
		return farUse{}, err
	}
	after, err1 := b.far.requests()
	peak, err2 := in.tree.peakRSS()
	return farUse{u, float64(after - before), float64(peak-rss) / (1 << 20)}, errors.Join(err1, err2)
}

func farStor(b *bench, in *instance) ([]float64, error) {
	u, err := farStorBig(b, in)
	gib := float64(b.scale.storBytes) / (1 << 30)
	return []float64{u.took.Seconds(), u.cpu.Seconds() / gib, u.requests, u.grown}, errors.Join(err, b.checkUploads(b.scale.storBytes))
}

// farStorBig uploads the beginning of the large file.
func farStorBig(b *bench, in *instance) (farUse, error) {
	f, err := os.Open(b.source())
	if err != nil {
		return farUse{}, err
	}
	defer f.Close()
	c, err := farSession(b, in)
	if err != nil {
		return farUse{}, err
	}
	defer c.conn.Close()
	return farTimed(b, in, func() error { return c.storFile("up/big", f, b.scale.storBytes) })
}

func farSmallUp(b *bench, in *instance) ([]float64, error) {
	u, err := farStorSmall(b, in)
	n := float64(b.scale.smallFiles)
	return []float64{n / u.took.Seconds(), u.requests / n, u.cpu.Seconds() * 1000 / n},
		errors.Join(err, b.checkUploads(int64(b.scale.smallBytes)))
}

// farStorSmall uploads the small files.
func farStorSmall(b *bench, in *instance) (farUse, error) {
	clients := make([]*client, b.scale.sessions)
	for i := range clients {
		c, err := farSession(b, in)
		if err != nil {
			return farUse{}, err
		}
		defer c.conn.Close()
		clients[i] = c
	}
	body := bytes.Repeat([]byte{'f'}, b.scale.smallBytes)
	return farTimed(b, in, func() error {
		return each(len(clients), func(k int) error {
			for i := k; i < b.scale.smallFiles; i += len(clients) {
				if err := clients[k].stor(fmt.Sprintf("up/file-%05d.dat", i), body); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// farList measures the first listing of dir.
func farList(dir string, entries func(scale) int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		l, u, err := firstListing(b, in, dir, entries(b.scale))
		return []float64{l.total.Seconds(), u.requests, l.first.Seconds(), u.cpu.Seconds()}, err
	}
}

// firstListing lists dir, which has so many entries, in a session of its own.
func firstListing(b *bench, in *instance, dir string, entries int) (l listed, u farUse, err error) {
	c, err := in.session()
	if err != nil {
		return l, u, err
	}
	defer c.conn.Close()
	u, err = farTimed(b, in, func() (err error) {
		l, err = c.listWhole(dir, entries)
		return err
	})
	return l, u, err
}

// listWhole lists dir, or the working directory for "", and requires so many lines.
func (c *client) listWhole(dir string, entries int) (listed, error) {
	l, err := c.list(strings.TrimSpace("LIST " + dir))
	if err == nil && l.lines < entries {
		err = fmt.Errorf("LIST %s: %d lines for %d files", dir, l.lines, entries)
	}
	return l, err
}

func farWarmList(b *bench, in *instance) ([]float64, error) {
	c, err := in.session()
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	var total []float64
	for again := range 4 {
		l, err := c.listWhole("many", b.scale.listFiles)
		if err != nil {
			return nil, err
		}
		if again > 0 {
			total = append(total, l.total.Seconds()*1000)
		}
	}
	return []float64{median(total)}, nil
}

func farStat(b *bench, in *instance) ([]float64, error) {
	c, err := in.session()
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	u, err := farTimed(b, in, func() error { return c.do("SIZE "+manyName(b.scale.listFiles/2), "213") })
	return []float64{u.requests, u.took.Seconds() * 1000}, err
}

func farRetr(b *bench, in *instance) ([]float64, error) {
	c, err := farSession(b, in)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	return retrFar(b, in, c)
}

// retrFar measures a download of the large file.
func retrFar(b *bench, in *instance, c *client) ([]float64, error) {
	u, err := farTimed(b, in, func() error { return c.retr("big", b.scale.bigBytes) })
	if err != nil {
		return nil, err
	}
	rss, err := in.tree.peakRSS()
	size := float64(b.scale.bigBytes)
	return []float64{size / 1e6 / u.took.Seconds(), u.cpu.Seconds() / (size / (1 << 30)), float64(rss) / (1 << 20), u.requests}, err
}

// farRest measures what the first bytes from the middle of a file cost in a session that has done
// nothing before.
func farRest(b *bench, in *instance) ([]float64, error) {
	c, err := in.session()
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	ctx := context.Background()
	before := b.far.pulled(ctx)
	first, err := c.retrPart("big", b.scale.restAt, b.scale.restTake)
	if err != nil {
		return nil, err
	}
	return []float64{float64(first) / float64(time.Millisecond), float64(b.far.pulled(ctx)-before) / (1 << 20)}, nil
}
