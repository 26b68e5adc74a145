package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// layoutCurves makes the tree of layoutLocal, with a directory for each point of the curve of
// listings.
func layoutCurves(ctx context.Context, b *bench) error {
	if err := layoutLocal(ctx, b); err != nil {
		return err
	}
	for _, n := range entryCounts {
		if n <= b.scale.most {
			if err := b.writeEmpty(entriesDir(n), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// curveKinds lists the servers of the curves: those with a process for each session, and those
// without, that are quick enough for a million entries.
func curveKinds() []kind {
	return slices.DeleteFunc(localKinds(), func(k kind) bool {
		return !slices.Contains([]string{"ferry", "vsftpd", "pure-ftpd", "ftpserverlib"}, k.name)
	})
}

// The points of the curves. Peers have a process for each session, or a limit; ten thousand
// downloads are for ferry.
var (
	sessionCounts  = []int{1, 10, 100, 1000}
	downloadCounts = []int{1, 10, 100, 1000, 6000, 10_000}
	entryCounts    = []int{1000, 10_000, 100_000, 1_000_000}
)

// mostOfPeers is up to where a curve is measured of all servers.
const mostOfPeers = 1000

func entriesDir(n int) string { return fmt.Sprintf("entries-%d", n) }

// curveWorkloads lists the points of the curves over a local directory.
func curveWorkloads() []workload {
	var all []workload
	for _, n := range sessionCounts {
		all = append(all, workload{
			name: fmt.Sprintf("sessions-%d", n), curve: "small files down", over: "sessions", x: n,
			title: func(s scale) string {
				return fmt.Sprintf("%s files of %s down, %s sessions", thousands(s.smallFiles), sizeText(int64(s.smallBytes)), thousands(n))
			},
			metrics: smallMetrics(), run: curveSmallDown(n), needs: descriptors(n),
		})
	}
	for _, n := range downloadCounts {
		w := workload{
			name: fmt.Sprintf("downloads-%d", n), curve: "slow downloads at once", over: "downloads", x: n,
			title:   func(s scale) string { return counted(n, "slow download") + " at once" },
			metrics: []metric{{unit: "CPU s/GiB", digits: 2}, {unit: "KiB each", digits: 1}, {unit: "GB/s", digits: 2, higher: true}},
			run:     curveDownloads(n), needs: descriptors(n),
		}
		if n > mostOfPeers {
			w.only = []string{"ferry"}
			// By itself it allows what the descriptors are enough for whatever the sessions do.
			w.flags = func(*bench, string) []string { return []string{"--max-sessions", "0"} }
		}
		all = append(all, w)
	}
	for _, n := range entryCounts {
		all = append(all, workload{
			name: fmt.Sprintf("entries-%d", n), curve: "LIST", over: "entries", x: n,
			title: func(scale) string { return fmt.Sprintf("LIST of %s files", thousands(n)) },
			metrics: []metric{{unit: "us per entry", digits: 2}, {unit: "CPU us per entry", digits: 2}, {unit: "ms to first byte", digits: 1},
				{unit: "peak RSS MiB", digits: 1}},
			run: curveList(n),
		})
	}
	return append(all, recoveryWorkloads()...)
}

// descriptors says why this process, or a server that it starts, cannot have n sessions with a file
// and a data connection each.
func descriptors(n int) func(context.Context, *bench) string {
	return func(context.Context, *bench) string {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
			return err.Error()
		}
		want := uint64(3*n + 1000)
		if now.Cur >= want {
			return ""
		}
		more := syscall.Rlimit{Cur: want, Max: max(now.Max, want)}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more); err != nil {
			return fmt.Sprintf("needs %d descriptors: %v", want, err)
		}
		return ""
	}
}

// curveSmallDown is smallDown in n sessions.
func curveSmallDown(n int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		return small(b, in, n, func(c *client, i int) error { return c.retr(smallName(i), int64(b.scale.smallBytes)) })
	}
}

// curveList measures the second listing of a directory, when the system knows it.
func curveList(n int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		c, err := in.session()
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		if err := c.do("CWD "+entriesDir(n), "250"); err != nil {
			return nil, err
		}
		var l listed
		var u use
		for range 2 {
			u, err = timed(in, func() (err error) {
				l, err = c.listWhole("", n)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		rss, err := in.tree.peakRSS()
		each := 1e6 / float64(n)
		return []float64{l.total.Seconds() * each, u.cpu.Seconds() * each, l.first.Seconds() * 1000, float64(rss) / (1 << 20)}, err
	}
}

// slowWindow is the receive buffer of a slow client.
const slowWindow = 32 << 10

// curveDownloads measures n downloads of the large file that go on at once, while their clients
// take a little of each in turn. Before that they take as much, which the server may have sent
// ahead.
func curveDownloads(n int) func(*bench, *instance) ([]float64, error) {
	return func(b *bench, in *instance) ([]float64, error) {
		before, err := in.warm(b)
		if err != nil {
			return nil, err
		}
		clients, err := in.sessions(n)
		defer closeAll(clients)
		if err != nil {
			return nil, err
		}
		var all []sock
		defer func() {
			for _, d := range all {
				d.Close()
			}
		}()
		for _, c := range clients {
			c.window = slowWindow
			d, err := begin(c, "big")
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		ahead := min(int64(n)<<20, 4<<30, b.scale.bigBytes/8*int64(n))
		if _, err := takeOfAll(all, ahead); err != nil {
			return nil, err
		}
		var got int64
		u, err := timed(in, func() (err error) {
			got, err = takeOfAll(all, max(ahead, b.scale.bigBytes*3/4))
			return err
		})
		if err != nil {
			return nil, err
		}
		after, err := in.tree.pss()
		bytes := float64(got)
		return []float64{u.cpu.Seconds() / (bytes / (1 << 30)), float64(after-before) / 1024 / float64(n), bytes / 1e9 / u.took.Seconds()}, err
	}
}

// takeOfAll takes at least so many bytes of all streams together, and returns how many.
func takeOfAll(all []sock, bytes int64) (got int64, err error) {
	buf := make([]byte, slowWindow)
	for got < bytes {
		before := got
		for _, d := range all {
			n, err := d.takeNow(buf)
			if err != nil {
				return got, err
			}
			got += int64(n)
		}
		if got == before {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return got, nil
}
