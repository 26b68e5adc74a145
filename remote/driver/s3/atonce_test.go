package s3

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ferry/budget"
)

// startSink starts a server that takes uploads and keeps nothing of them. All parts pass one link,
// one after another, and each takes so long.
func startSink(t testing.TB, each time.Duration) (addr string, completed *atomic.Int64) {
	t.Helper()
	var link sync.Mutex
	completed = new(atomic.Int64)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		query := q.URL.Query()
		switch {
		case q.Method == http.MethodPost && query.Has("uploads"):
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
		case q.Method == http.MethodPut:
			link.Lock()
			_, _ = io.Copy(io.Discard, q.Body)
			time.Sleep(each) // the link is slow
			link.Unlock()
			w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
			if !query.Has("partNumber") {
				completed.Add(1)
			}
		case q.Method == http.MethodPost:
			completed.Add(1)
			_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>f</Key><ETag>1</ETag></CompleteMultipartUploadResult>")
		case q.Method == http.MethodGet:
			_, _ = io.WriteString(w, "<ListBucketResult></ListBucketResult>")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(web.Close)
	return web.Listener.Addr().String(), completed
}

// heap collects garbage, and returns how many bytes the objects of the heap have that are in use.
// How much garbage there may be beside them depends on what other tests have left to be in use.
func heap() int64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// storeAtOnce stores n files of size bytes at once in total bytes of memory, and returns the most
// that was held and the most that the heap grew by, and the first and the last end of an upload.
func storeAtOnce(t testing.TB, n int, size, total int64, each time.Duration) (held, grown int64, first, last time.Duration) {
	t.Helper()
	addr, completed := startSink(t, each)
	o := testOptions(addr)
	o.Network.Memory = budget.New(total)
	r, err := New(t.Context(), testBucket, o)
	if err != nil {
		t.Fatal(err)
	}
	before, begun := heap(), time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		all.Go(func() {
			if err := storeFrom(t.Context(), r, fmt.Sprintf("f%d", i), zeros(size)); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			last = time.Since(begun)
			if first == 0 {
				first = last
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		all.Wait()
		close(ended)
	}()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		held, grown = max(held, o.Network.Memory.Held()), max(grown, heap()-before)
		select {
		case <-tick.C:
			continue
		case <-ended:
		}
		tick.Stop()
		break
	}
	if got := completed.Load(); got != int64(n) {
		t.Errorf("%d of %d files were stored", got, n)
	}
	if left := o.Network.Memory.Held(); left != 0 {
		t.Errorf("%d bytes are still held", left)
	}
	return held, grown, first, last
}

// More files are stored at once than there is memory for the parts of.
func TestUploadsAtOnceHoldBoundedMemory(t *testing.T) {
	const total = 32 << 20
	held, grown, _, _ := storeAtOnce(t, 40, 2*minPart, total, time.Millisecond)
	t.Logf("held %d MiB, the heap grew by %d MiB", held>>20, grown>>20)
	if held > total+minPart || held < total/2 {
		t.Errorf("uploads held %d MiB of %d", held>>20, total>>20)
	}
	if grown > 2*total { // connections, and what the server has read
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// BenchmarkUploadsAtOnce shows what 3,000 uploads at once hold of the default of
// --max-buffer-memory.
func BenchmarkUploadsAtOnce(b *testing.B) {
	for b.Loop() {
		held, grown, first, last := storeAtOnce(b, 3000, 10e6, 256<<20, 0)
		b.ReportMetric(float64(held)/1e6, "MB-held")
		b.ReportMetric(float64(grown)/1e6, "MB-heap")
		b.ReportMetric(first.Seconds(), "s-to-first")
		b.ReportMetric(last.Seconds(), "s-to-last")
	}
	b.SetBytes(3000 * 10e6)
}
