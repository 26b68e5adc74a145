package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"ferry/feed"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/network"
)

// bucket is a remote that shows the bucket b.
type bucket struct{ remote.Remote }

func (bucket) ObjectName(of, key string) (string, bool) {
	if key == "" {
		key = "."
	}
	return key, of == "b"
}

// event is an event of S3 that says that there is an object now.
func event(key string) string {
	return fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":%q,"eTag":"v"}}}]}`, key)
}

// stored is the change that it makes.
func stored(name string) remote.Change { return remote.Change{Name: name, Version: "v"} }

// A listener is a feed under way, and what a remote is told by it.
type listener struct {
	t       *testing.T
	feed    *feed.Feed
	changes chan remote.Change
}

// listen runs a feed of a URL until the test ends.
func listen(t *testing.T, text string) *listener {
	t.Helper()
	return listenTo(t, open(t, text))
}

func open(t *testing.T, text string) feed.Source {
	t.Helper()
	u, err := feed.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(u, network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func listenTo(t *testing.T, s feed.Source) *listener {
	t.Helper()
	l := &listener{t, feed.New(s, feed.Options{}), make(chan remote.Change, 1000)}
	set := feed.NewSet(l.feed)
	w, ok := remote.AsWatcher(set.Around(bucket{memory.New()}))
	if !ok {
		t.Fatal("it is no Watcher")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { set.Run(ctx) })
	wg.Go(func() {
		for c, err := range w.Watch(ctx, 0) {
			if err == nil {
				l.changes <- c
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	return l
}

// wants waits for changes, in their order.
func (l *listener) wants(want ...remote.Change) {
	l.t.Helper()
	for _, w := range want {
		select {
		case got := <-l.changes:
			if got != w {
				l.t.Errorf("%+v, not %+v", got, w)
			}
		case <-time.After(30 * time.Second):
			l.t.Fatalf("%+v is not told: %+v", w, l.feed.Status())
		}
	}
}

// wantsNothing checks that nothing has been told that was not waited for.
func (l *listener) wantsNothing() {
	l.t.Helper()
	select {
	case got := <-l.changes:
		l.t.Errorf("%+v is told", got)
	default:
	}
}

// until waits for what another goroutine does.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// A double answers as a queue does.
type double struct {
	*httptest.Server
	mu       sync.Mutex
	waiting  map[string]any // guarded by mu; messages by receipt
	sent     int            // guarded by mu
	failing  int            // guarded by mu; requests that fail before others do not
	requests []*http.Request
}

func newDouble(t *testing.T, answer func(s *double, w http.ResponseWriter, r *http.Request, body map[string]any)) *double {
	s := &double{waiting: map[string]any{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(text, &body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, r)
		if s.failing > 0 {
			s.failing--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(s, w, r, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *double) put(message any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	s.waiting[fmt.Sprint("receipt ", s.sent)] = message
}

// empty reports whether all has been dropped.
func (s *double) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) == 0
}

func (s *double) fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

// failed reports whether all requests have failed that were to.
func (s *double) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing == 0
}
