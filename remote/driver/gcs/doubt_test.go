package gcs_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/gcs"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/gcsserver"
)

// openBad opens a new bucket over a bad network.
func openBad(t *testing.T) (*gcs.Remote, *badnet.Network) {
	t.Helper()
	service := gcsserver.Start(t)
	n := badnet.Start(t, service.Addr)
	r := open(t, service.NewBucket(t), options(n.Addr))
	t.Cleanup(func() { r.Close() })
	return r, n
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

// Whoever began an upload need not be who publishes it.
func TestOnlyTheLastChunkCanBeInDoubt(t *testing.T) {
	for what, c := range map[string]struct {
		method string
		skip   int // of the requests below
		length int
		done   bool // it is sent again
		doubts int64
	}{
		"all of it":      {"POST", 0, 100, false, 1},
		"the beginning":  {"POST", 0, 16<<20 + 1, false, 0},
		"a chunk":        {"PUT", 0, 16<<20 + 1, true, 0},
		"the last chunk": {"PUT", 1, 16<<20 + 1, true, 1},
	} {
		t.Run(what, func(t *testing.T) {
			r, n := openBad(t)
			n.Add(badnet.Rule{Method: c.method, Skip: c.skip, Times: 1, Fate: badnet.Fate{Answer: badnet.Ahead, Status: 503, Lost: true}})
			s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
			if err != nil {
				t.Fatal(err)
			}
			want := blob(c.length)
			ctx, doubts := counting(t.Context())
			if _, err = s.Write(want); err == nil {
				_, err = s.Commit(ctx, time.Time{})
			}
			if (err == nil) != c.done || doubts.Load() != c.doubts {
				t.Errorf("%v, reported %d times, want %d\n%s", err, doubts.Load(), c.doubts, n.History())
			}
			if err := s.Abort(); err != nil {
				t.Error(err)
			}
			if c.done && !bytes.Equal(get(t, r, "f"), want) {
				t.Error("the content is another")
			}
		})
	}
}

// It would hit what was stored meanwhile.
func TestARemovalWithoutAnAnswerIsNotRepeated(t *testing.T) {
	for _, status := range []int{0, 502} {
		r, n := openBad(t)
		put(t, r, "f", []byte("old"))
		n.Add(badnet.Rule{Method: "DELETE", Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: status}})
		ctx, doubts := counting(t.Context())
		err := r.Remove(ctx, "f")
		if err == nil || remote.Permanent(err) || doubts.Load() != 1 || strings.Count(n.History(), " DELETE ") != 1 {
			t.Errorf("status %d: %v, reported %d times\n%s", status, err, doubts.Load(), n.History())
		}
	}
}
