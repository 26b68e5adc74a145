package webdav_test

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/remotetest/badnet"
)

// openBad opens a server on an empty directory over a bad network.
func openBad(t *testing.T, atomicPut bool) (*webdav.Remote, *badnet.Network) {
	t.Helper()
	s := newServer(t, dav.Dir(t.TempDir()), nil)
	n := badnet.Start(t, strings.TrimPrefix(s.URL, "http://"))
	r := open(t, webdav.Options{URL: "http://" + n.Addr + "/dav", AtomicPut: &atomicPut})
	t.Cleanup(func() { r.Close() })
	return r, n
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

func TestOnlyWhatPublishesCanBeInDoubt(t *testing.T) {
	store := func(ctx context.Context, r *webdav.Remote) error {
		_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
		return err
	}
	move := func(ctx context.Context, r *webdav.Remote) error { return r.Move(ctx, "old", "new") }
	dropped := badnet.Fate{Answer: badnet.Dropped}
	for what, c := range map[string]struct {
		atomic bool
		method string
		fate   badnet.Fate
		act    func(ctx context.Context, r *webdav.Remote) error
		done   bool
		doubts int64
	}{
		"a hidden upload":                 {false, "PUT", dropped, store, false, 0},
		"an upload to its name":           {true, "PUT", dropped, store, false, 1},
		"a rename that was done":          {false, "MOVE", dropped, store, true, 0},
		"a rename that a gateway lost":    {false, "MOVE", badnet.Fate{Answer: badnet.Ahead, Status: 502, Lost: true}, store, false, 1},
		"a move that was done":            {false, "MOVE", dropped, move, true, 0},
		"a move that a gateway knows not": {false, "MOVE", badnet.Fate{Answer: badnet.Dropped, Status: 504}, move, true, 0},
		"a move that was lost":            {false, "MOVE", badnet.Fate{Answer: badnet.Ahead, Lost: true}, move, false, 1},
	} {
		t.Run(what, func(t *testing.T) {
			r, n := openBad(t, c.atomic)
			if _, err := r.Put(t.Context(), "old", strings.NewReader("old"), remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			n.Add(badnet.Rule{Method: c.method, Fate: c.fate})
			ctx, doubts := counting(t.Context())
			if err := c.act(ctx, r); (err == nil) != c.done || doubts.Load() != c.doubts || err != nil && remote.Permanent(err) {
				t.Errorf("%v, reported %d times, want %d\n%s", err, doubts.Load(), c.doubts, n.History())
			}
		})
	}
}

// What is looked at after an upload to its own name belongs to it.
func TestAnUploadThatIsAnsweredAfterItsContext(t *testing.T) {
	r, n := openBad(t, true)
	answer := make(chan struct{})
	n.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Until: answer}})
	counted, doubts := counting(t.Context())
	ctx, cancel := context.WithCancel(counted)
	const size = 100_000
	done := make(chan error, 1)
	go func() {
		body := struct{ io.Reader }{strings.NewReader(strings.Repeat("x", size))}
		_, err := r.Put(ctx, "f", body, remote.PutOptions{Size: size})
		done <- err
	}()
	for !strings.Contains(n.History(), "has come whole") || !strings.Contains(n.History(), "PUT") {
		time.Sleep(time.Millisecond)
	}
	// The first request, for what is there, has come whole, too.
	for strings.Count(n.History(), "has come whole") < strings.Count(n.History(), " bytes: ") {
		time.Sleep(time.Millisecond)
	}
	cancel()
	close(answer)
	if err := <-done; err != nil || doubts.Load() != 0 {
		t.Errorf("%v, reported %d times\n%s", err, doubts.Load(), n.History())
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != size {
		t.Errorf("%+v, %v", e, err)
	}
}
