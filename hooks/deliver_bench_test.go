package hooks

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"ferry/disk"
	"ferry/events"
	"ferry/hooks/settings"
)

// quick answers at once.
type quick struct{}

func (quick) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

// BenchmarkUpload is all that is done for an upload in mode off, from before it is published until
// its hook is told, without the way to the receiver.
func BenchmarkUpload(b *testing.B) {
	dir := b.TempDir()
	x := New(Options{
		Disk: func() (disk.Disk, error) { return disk.Open(dir) }, Settle: 100 * time.Millisecond,
		Unsynced: func(*events.Event) bool { return true }, Transport: quick{},
	})
	if err := x.Set([]settings.Hook{{Name: "h", Events: []string{"upload.stored"}, URL: "http://localhost:1/", Batch: 100}}); err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = x.Run(b.Context())
	}()
	address := netip.MustParseAddrPort("192.0.2.1:50123")
	paths := make([]string, 1000)
	for i := range paths {
		paths[i] = fmt.Sprint("/up/file-0000", i, ".dat")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		now := time.Now()
		path := paths[i%len(paths)]
		e := &events.Event{Kind: events.UploadStored, ID: events.NewID(now), User: "bench", Address: address, Session: 7, Path: path, Name: path[1:],
			Remote: "local", Place: "local:/srv/ftp", Size: 4096, Time: now}
		if err := x.Prepare(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		e.Version, e.Duration = "4096-abc-def-1", time.Millisecond
		if err := x.Record(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		i++
	}
	for x.Status().Hooks[0].Waiting > 0 {
		time.Sleep(10 * time.Millisecond)
	}
}
