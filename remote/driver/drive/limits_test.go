package drive_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"ferry/remote"
)

func TestLimitsOfRateAreKeptAndToldOnce(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	put(t, r, "f", "x")
	var log bytes.Buffer
	ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	congested := 0
	ctx = remote.WithCongested(ctx, func() { congested++ })
	for _, limit := range []struct {
		status int
		reason string
		after  int
	}{{403, "userRateLimitExceeded", 0}, {429, "rateLimitExceeded", 1}, {503, "backendError", 1}} {
		before := len(s.Requests())
		s.Refuse(1, limit.status, limit.reason, limit.after)
		if _, err := r.Stat(ctx, "f"); err != nil {
			t.Errorf("%+v: %v", limit, err)
		}
		if n := len(s.Requests()) - before; n != 2 {
			t.Errorf("%+v: %d requests", limit, n)
		}
	}
	if n := strings.Count(log.String(), "too many"); n != 1 || congested != 3 {
		t.Errorf("told %d times, congested %d times: %s", n, congested, log.String())
	}
}

// While one call waits, no other sends anything.
func TestALimitHoldsForAllCalls(t *testing.T) {
	t.Parallel()
	s, r := start(t)
	put(t, r, "f", "x")
	s.Refuse(1, 429, "rateLimitExceeded", 1)
	before := len(s.Requests())
	if _, err := r.Stat(t.Context(), "f"); err != nil {
		t.Error(err)
	}
	s.Refuse(1, 429, "rateLimitExceeded", 1)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, err := r.Stat(t.Context(), "f"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(s.Requests()) - before; n > 2+5+5 {
		t.Errorf("%d requests", n)
	}
}
