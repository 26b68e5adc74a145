package intercept_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/count"
	"ferry/remote/wrap/limit"
	"ferry/remote/wrap/logged"
)

// idle is a remote that does nothing, at no cost.
type idle struct{ remote.Remote }

func (idle) Info() remote.Info { return remote.Info{Name: "idle:"} }

func (idle) Stat(context.Context, string) (remote.Entry, error) { return remote.Entry{}, nil }

func (idle) Open(context.Context, string, int64, int64) (io.ReadCloser, error) { return zeros{}, nil }

func (idle) Put(_ context.Context, _ string, body io.Reader, _ remote.PutOptions) (remote.Entry, error) {
	_, err := io.Copy(io.Discard, body)
	return remote.Entry{}, err
}

func (idle) Stage(context.Context, string, remote.StageOptions) (remote.Stage, error) {
	return sink{}, nil
}

func (idle) Part(context.Context, string, string) (remote.Entry, error) { return remote.Entry{}, nil }

func (idle) DropPart(context.Context, string, string) error { return nil }

// zeros is a reader without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func (zeros) Close() error { return nil }

// sink is a stage that keeps nothing.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func (sink) Commit(context.Context, time.Time) (remote.Entry, error) { return remote.Entry{}, nil }

func (sink) Keep() error { return nil }

func (sink) Abort() error { return nil }

// BenchmarkDecorators is what the decorators cost that are around every driver.
func BenchmarkDecorators(b *testing.B) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo}))
	const fast = 1 << 50
	for _, d := range []struct {
		name string
		r    remote.Remote
	}{
		{"count", count.New(idle{})},
		{"logged", logged.New(idle{}, quiet)},
		{"limit calls", limit.New(idle{}, limit.Options{Rate: 1e12, Burst: 1e9})},
		{"limit all", limit.New(idle{}, limit.Options{Rate: 1e12, Burst: 1e9, Connections: 8,
			Bandwidth: func(time.Time) (int64, int64) { return fast, fast }})},
	} {
		b.Run(d.name, func(b *testing.B) { benchmark(b, d.r) })
	}
}

func benchmark(b *testing.B, r remote.Remote) {
	ctx, buf := b.Context(), make([]byte, 64<<10)
	each := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	each("Stat", func() error { _, err := r.Stat(ctx, "f"); return err })
	each("Put", func() error { _, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{}); return err })
	each("Open", func() error {
		f, err := r.Open(ctx, "f", 0, -1)
		if err != nil {
			return err
		}
		return f.Close()
	})
	f, err := r.Open(ctx, "f", 0, -1)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	each("Read", func() error { _, err := f.Read(buf); return err })
	stage := func() (remote.Stage, error) {
		return r.(remote.Stager).Stage(ctx, "f", remote.StageOptions{Owner: "o"})
	}
	each("Stage", func() error {
		s, err := stage()
		if err != nil {
			return err
		}
		_, err = s.Commit(ctx, time.Time{})
		return err
	})
	s, err := stage()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Abort()
	each("Write", func() error { _, err := s.Write(buf); return err })
}
