package s3

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/badnet"
)

// farAway is a server in another place: what the benchmarks measure against.
var farAway = badnet.ProxyOptions{Latency: 30 * time.Millisecond, PerConn: 100e6, Total: 400e6}

// openFar opens a remote on the gateway, from far away.
func openFar(b *testing.B) *Remote {
	b.Helper()
	proxy := badnet.NewProxy(b, startGateway(b), farAway)
	r, err := New(b.Context(), testBucket, testOptions(proxy.Addr))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func storeFrom(ctx context.Context, r *Remote, name string, src io.Reader) error {
	s, err := r.Stage(ctx, name, remote.StageOptions{Owner: owner})
	if err != nil {
		return err
	}
	if _, err := io.Copy(s, src); err != nil {
		return err
	}
	_, err = s.Commit(ctx, time.Time{})
	return err
}

// zeros gives n bytes in pieces as a connection does.
func zeros(n int64) io.Reader {
	return io.LimitReader(readFunc(func(p []byte) (int, error) { return min(len(p), 256<<10), nil }), n)
}

func BenchmarkStoreLong(b *testing.B) {
	r := openFar(b)
	const size = 256 << 20
	b.SetBytes(size)
	for b.Loop() {
		if err := storeFrom(b.Context(), r, "long", zeros(size)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStoreSmall(b *testing.B) {
	r := openFar(b)
	const sessions = 8
	var n atomic.Int64
	for b.Loop() {
		var all sync.WaitGroup
		for range sessions {
			all.Go(func() {
				if err := storeFrom(b.Context(), r, fmt.Sprintf("small-%d", n.Add(1)), zeros(16<<10)); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	b.ReportMetric(sessions*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkStoreSmallBeside shows what a small file costs this side: the server answers at once,
// and looks at nothing but lengths.
func BenchmarkStoreSmallBeside(b *testing.B) {
	r, err := New(b.Context(), testBucket, testOptions(startTaker(b)))
	if err != nil {
		b.Fatal(err)
	}
	content := make([]byte, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		if err := storeFrom(b.Context(), r, "dir/small-file.dat", bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}

// startTaker starts a server that says yes to every request, and returns its address.
func startTaker(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go take(c)
		}
	}()
	return l.Addr().String()
}

// take answers requests until the connection ends: to a question that nothing is there, and else
// that it is stored.
func take(c net.Conn) {
	defer c.Close()
	const (
		absent = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
		none   = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 19\r\n\r\n<ListBucketResult/>"
		stored = "HTTP/1.1 200 OK\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nContent-Length: 0\r\n\r\n"
	)
	in := bufio.NewReaderSize(c, 64<<10)
	for length, answer := 0, none; ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("PUT ")):
			answer = stored
		case bytes.HasPrefix(line, []byte("HEAD ")):
			answer = absent
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		if len(line) > len("\r\n") {
			continue
		}
		_, err1 := in.Discard(length)
		_, err2 := io.WriteString(c, answer)
		if err1 != nil || err2 != nil {
			return
		}
		length, answer = 0, none
	}
}

func BenchmarkList20000(b *testing.B) {
	gateway := startGateway(b)
	direct, err := New(b.Context(), testBucket, testOptions(gateway))
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < 20_000; i += 8 {
				if err := storeFrom(b.Context(), direct, fmt.Sprintf("d/a-name-of-some-length-%05d", i), zeros(1)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	proxy := badnet.NewProxy(b, gateway, farAway)
	r, err := New(b.Context(), testBucket, testOptions(proxy.Addr))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start, n := time.Now(), 0
		for _, err := range r.List(b.Context(), "d") {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == 1 {
				b.ReportMetric(time.Since(start).Seconds(), "s-to-first")
			}
		}
		if n != 20_000 {
			b.Fatalf("%d entries", n)
		}
	}
}
