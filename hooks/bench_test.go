package hooks

import (
	"fmt"
	"testing"
	"time"

	"ferry/disk"
	"ferry/events"
	"ferry/hooks/settings"
)

// BenchmarkRecord is what an upload in mode off costs, and an event that no hook wants.
func BenchmarkRecord(b *testing.B) {
	dir := b.TempDir()
	x := New(Options{
		Disk:     func() (disk.Disk, error) { return disk.Open(dir) },
		Unsynced: func(*events.Event) bool { return true },
	})
	if err := x.Set([]settings.Hook{{Name: "h", Events: []string{"upload.stored"}, URL: "http://localhost:1/"}}); err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	now := time.Now()
	b.Run("upload", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			e := &events.Event{Kind: events.UploadStored, ID: events.NewID(now), User: "bob", Path: fmt.Sprint("/in/", i), Name: "in/x", Size: 7, Time: now}
			if err := x.Prepare(b.Context(), e); err != nil {
				b.Fatal(err)
			}
			if err := x.Record(b.Context(), e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unwanted", func(b *testing.B) {
		b.ReportAllocs()
		e := &events.Event{Kind: events.Login, ID: "1", Time: now}
		for range b.N {
			if err := x.Record(b.Context(), e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
