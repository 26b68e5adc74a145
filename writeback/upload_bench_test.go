package writeback

import (
	"context"
	"io"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/events"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

// BenchmarkUpload stores small files, with nobody who listens and with somebody who does.
func BenchmarkUpload(b *testing.B) {
	heard := events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: deaf{}})
	for name, stream := range map[string]*events.Stream{"alone": nil, "heard": heard} {
		b.Run("direct, "+name, func(b *testing.B) {
			d := NewDirect(memory.New(), DirectOptions{Events: stream})
			benchmarkUploads(b, d.Stage)
		})
		b.Run("writes, "+name, func(b *testing.B) {
			store, err := cache.Open(disktest.New(), cache.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			v, closeTree := newTree(memory.New(), Options{Store: store, Mode: Writes, Events: stream})
			defer closeTree()
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- v.Run(ctx) }()
			benchmarkUploads(b, v.Stage)
			if err := v.Flush(b.Context(), "."); err != nil {
				b.Fatal(err)
			}
			cancel()
			<-done
		})
	}
}

// deaf is a listener that keeps nothing.
type deaf struct{}

func (deaf) Record(context.Context, *events.Event) error { return nil }

type stageFunc = func(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error)

func benchmarkUploads(b *testing.B, stage stageFunc) {
	ctx := events.WithOrigin(b.Context(), events.Origin{ID: "1", User: "bob", Path: "/file", Time: time.Now()})
	b.ReportAllocs()
	for b.Loop() {
		u, err := stage(ctx, "file", remote.StageOptions{Owner: "bob"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(u, "content"); err != nil {
			b.Fatal(err)
		}
		if _, err := u.Commit(ctx, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
