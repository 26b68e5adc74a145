package azureblob_test

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/azureblob"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/wrap/retry"
)

// openBad opens a new container over a bad network.
func openBad(t *testing.T, service *service, chunk int64) (*azureblob.Remote, *badnet.Network) {
	t.Helper()
	u, err := url.Parse(service.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	n := badnet.Start(t, u.Host)
	o := service.options()
	o.Endpoint, o.ChunkSize = "http://"+n.Addr+u.Path, chunk
	r := open(t, service.container(t), o)
	t.Cleanup(func() { r.Close() })
	return r, n
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

func TestOnlyWhatPublishesCanBeInDoubt(t *testing.T) {
	service := startService(t)
	for what, c := range map[string]struct {
		path   string
		chunk  int64
		doubts int64
	}{"a blob": {"/f", 0, 1}, "a block": {"comp=block", 1 << 20, 0}, "the list of blocks": {"comp=blocklist", 1 << 20, 1}} {
		t.Run(what, func(t *testing.T) {
			r, n := openBad(t, service, c.chunk)
			n.Add(badnet.Rule{Method: "PUT", Path: c.path, Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: 502}})
			ctx, doubts := counting(t.Context())
			want := blob(2<<20 + 1)
			again := retry.New(r, retry.Options{}) // the client repeats blocks only
			if _, err := again.Put(ctx, "f", bytes.NewReader(want), remote.PutOptions{}); err != nil || doubts.Load() != c.doubts {
				t.Errorf("%v, reported %d times, want %d\n%s", err, doubts.Load(), c.doubts, n.History())
			}
			if !strings.Contains(n.History(), "dropped") {
				t.Errorf("nothing has happened:\n%s", n.History())
			}
			holds(t, r, "f", want)
		})
	}
}

// The library would try again, and hit what was stored meanwhile.
func TestARemovalWithoutAnAnswerIsNotRepeated(t *testing.T) {
	service := startService(t)
	for _, status := range []int{0, 502} {
		r, n := openBad(t, service, 0)
		put(t, r, "f", []byte("old"))
		n.Add(badnet.Rule{Method: "DELETE", Times: 1, Fate: badnet.Fate{Answer: badnet.Dropped, Status: status}})
		ctx, doubts := counting(t.Context())
		err := r.Remove(ctx, "f")
		if err == nil || remote.Permanent(err) || doubts.Load() != 1 || strings.Count(n.History(), " DELETE ") != 1 {
			t.Errorf("status %d: %v, reported %d times\n%s", status, err, doubts.Load(), n.History())
		}
	}
}
