package readahead

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

// A distance is a remote with one file, far away, in virtual time: an answer takes a round trip, a
// new connection another one, and bytes come at a rate of each connection and of all together.
type distance struct {
	remote.Remote
	latency   time.Duration
	each, all float64 // bytes per second
	size      int64

	mu       sync.Mutex
	idle     int       // guarded by mu; connections that can be used again
	next     time.Time // guarded by mu; when the network is free
	requests int       // guarded by mu
	sent     int64     // guarded by mu
}

func (d *distance) Info() remote.Info { return remote.Info{} }

func (d *distance) Open(ctx context.Context, _ string, off, n int64) (io.ReadCloser, error) {
	wait := d.latency
	d.mu.Lock()
	if d.requests++; d.idle > 0 {
		d.idle--
	} else {
		wait += d.latency
	}
	d.mu.Unlock()
	select {
	case <-time.After(wait):
		return &distant{d: d, left: min(n, d.size-off), next: time.Now()}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// distant is an answer.
type distant struct {
	d    *distance
	left int64
	next time.Time // when the connection is free
}

// buffered is how far an answer comes before anybody reads it.
const buffered = 20 * time.Millisecond

func (r *distant) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), 32<<10, int(r.left))
	now := time.Now()
	if early := now.Add(-buffered); r.next.Before(early) {
		r.next = early
	}
	r.next = r.next.Add(time.Duration(float64(n) / r.d.each * 1e9))
	due := r.d.send(now, n)
	if due.Before(r.next) {
		due = r.next
	}
	time.Sleep(time.Until(due))
	r.left -= int64(n)
	return n, nil
}

// send returns when the network has sent n bytes.
func (d *distance) send(now time.Time, n int) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next.Before(now) {
		d.next = now
	}
	d.next = d.next.Add(time.Duration(float64(n) / d.all * 1e9))
	d.sent += int64(n)
	return d.next
}

func (r *distant) Close() error {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.left == 0 {
		r.d.idle++
	}
	return nil
}

func (r *distant) Described() (remote.Entry, bool) {
	return remote.Entry{Name: "f", Size: r.d.size, Version: "1"}, true
}

// readFar reads the whole of a file that is d away, hands each piece to taken, and returns how long
// it took.
func readFar(t *testing.T, d *distance, taken func(a *reader, n int)) time.Duration {
	t.Helper()
	tree := New(d, sixteenMegabytes())
	defer tree.Close()
	start := time.Now()
	r, err := tree.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, blockSize)
	for total := int64(0); ; {
		n, err := r.Read(buf)
		taken(r.(*reader), n)
		total += int64(n)
		if err == io.EOF && total == d.size {
			return time.Since(start)
		}
		if err != nil {
			t.Fatalf("%d bytes of %d: %v", total, d.size, err)
		}
	}
}

func TestAFarRemoteIsReadAtTheRateOfTheNetwork(t *testing.T) {
	for _, c := range []struct {
		d    *distance
		rate float64 // at least, in MB/s
	}{
		{&distance{latency: 30 * time.Millisecond, each: 100e6, all: 400e6, size: 256 << 20}, 260},
		{&distance{latency: 30 * time.Millisecond, each: 100e6, all: 100e6, size: 64 << 20}, 65},
		{&distance{latency: time.Millisecond, each: 500e6, all: 500e6, size: 64 << 20}, 400},
	} {
		synctest.Test(t, func(t *testing.T) {
			most := 0
			took := readFar(t, c.d, func(r *reader, _ int) {
				r.file.mu.Lock()
				defer r.file.mu.Unlock()
				most = max(most, r.inMemory(nil))
			})
			if rate := float64(c.d.size) / 1e6 / took.Seconds(); rate < c.rate {
				t.Errorf("%.0f MB/s at %v, %.0f MB/s per connection, %.0f MB/s in all", rate, c.d.latency, c.d.each/1e6, c.d.all/1e6)
			}
			if limit := 16<<20/blockSize + 1; most > limit {
				t.Errorf("%d blocks in memory, %d are allowed", most, limit)
			}
			least := c.d.size / (2 * 16 << 20 / maxStreams) // as long as have space for all streams
			if int64(c.d.requests) > 3*least {
				t.Errorf("%d requests, %d would do", c.d.requests, least)
			}
		})
	}
}

func TestASlowClientCostsNoMoreThanTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &distance{latency: 30 * time.Millisecond, each: 100e6, all: 400e6, size: 64 << 20}
		taken := int64(0)
		readFar(t, d, func(r *reader, n int) {
			taken += int64(n)
			time.Sleep(25 * time.Millisecond)
			synctest.Wait()
			r.file.mu.Lock()
			defer r.file.mu.Unlock()
			d.mu.Lock()
			defer d.mu.Unlock()
			if ahead := int64(r.claimed)*blockSize - taken; ahead > 16<<20+blockSize {
				t.Fatalf("%d bytes are asked for beyond the %d that were taken", ahead, taken)
			}
		})
	})
}
