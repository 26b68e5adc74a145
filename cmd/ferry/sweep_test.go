package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/partname"
)

// TestPartsInDirectoriesThatNobodyListsGo has no client at all.
func TestPartsInDirectoriesThatNobodyListsGo(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o777); err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(deep, partname.Name{Owner: "o", Base: "f"}.String())
	if err := os.WriteFile(part, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(part, old, old); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, "--partial-max-age", "1s", dir, "--addr", "127.0.0.1:0")
	r.url(t)
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := os.Stat(part)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if time.Now().After(limit) {
			t.Error("it is still there")
			break
		}
	}
	r.stop()
	r.wait(t)
}

// swept notes when it is swept.
type swept struct {
	remote.Remote
	err error
	at  []time.Duration
	t0  time.Time
}

func (s *swept) SweepParts(context.Context) error {
	s.at = append(s.at, time.Since(s.t0))
	return s.err
}

func TestSweepsGoOnAsOftenAsPartsLiveLong(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for args, want := range map[string][]time.Duration{
		"":                           {hour, 25 * hour},
		"--partial-max-age 10m":      {10 * minute, hour + 10*minute, 2*hour + 10*minute},
		"--partial-max-age 2h":       {hour, 3 * hour, 5 * hour},
		"--partial-max-age 30d":      {hour, 25 * hour},
		"--partial-max-age off":      {hour, 25 * hour},
		"--read-only":                nil,
		"--dry-run":                  nil,
		"--partial-max-age 1h error": {hour, 2 * hour, 3 * hour},
		"none":                       {hour},
	} {
		t.Run(args, func(t *testing.T) {
			args, fails := strings.CutSuffix(args, " error")
			args, cannot := strings.CutSuffix(args, "none")
			o := parse(t, strings.Fields(args)...)
			synctest.Test(t, func(t *testing.T) {
				r := &swept{Remote: memory.New(), t0: time.Now()}
				if fails {
					r.err = errors.New("the mount is away")
				}
				if cannot {
					r.err = remote.ErrUnsupported
				}
				log := &strings.Builder{}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					o.sweeping(r).run(ctx, slog.New(slog.NewTextHandler(log, nil)))
				}()
				wait := 30 * hour
				if n := len(want); n > 0 && !cannot {
					wait = want[n-1] + minute
				}
				time.Sleep(wait)
				cancel()
				<-ended
				if !slices.Equal(r.at, want) {
					t.Errorf("swept at %v, not %v", r.at, want)
				}
				if said := strings.Contains(log.String(), "the mount is away"); said != fails {
					t.Errorf("the log: %s", log)
				}
			})
		})
	}
}
