package ui

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// told is a Source that says what it was told.
type told struct {
	mu      sync.Mutex
	in, out int64
	state   State
	looks   int
	checks  int
	cost    time.Duration // of a look
}

func (t *told) Traffic() (in, out int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.in, t.out
}

func (t *told) Look() State {
	time.Sleep(t.cost)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	return t.state
}

func (t *told) Check(context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checks++
}

func (t *told) counted() (looks, checks int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.looks, t.checks
}

func (t *told) change(do func(t *told)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do(t)
}

// A watcher reads the events of a page over a connection without a network.
type watcher struct {
	conn   net.Conn
	events chan string // ids and other lines, in order
}

// watch begins to look at p by a real HTTP server.
func watch(t *testing.T, l *pipeListener) *watcher {
	t.Helper()
	conn := l.dial()
	w := &watcher{conn: conn, events: make(chan string, 10000)}
	go func() {
		defer close(w.events)
		fmt.Fprint(conn, "GET /ui/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		lines := bufio.NewScanner(conn)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			w.events <- lines.Text()
		}
	}()
	return w
}

// count returns how many lines have come that begin with prefix.
func (w *watcher) count(prefix string) int {
	n := 0
	for {
		select {
		case line, ok := <-w.events:
			if !ok {
				return n
			}
			if strings.HasPrefix(line, prefix) {
				n++
			}
		default:
			return n
		}
	}
}

// pipeListener is a network for synctest.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) dial() net.Conn {
	a, b := net.Pipe()
	l.conns <- b
	return a
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// serve runs p and a server with short time limits, as that of the remote control has long ones,
// until the test ends.
func serve(t *testing.T, p *Page) (l *pipeListener, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	l = newPipeListener()
	server := &http.Server{Handler: p, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	wg.Go(func() { _ = server.Serve(l) })
	stop = sync.OnceFunc(func() {
		cancel()
		synctest.Wait()
		server.Close()
		wg.Wait()
	})
	t.Cleanup(stop)
	return l, stop
}

func TestOneSnapshotASecondHoweverManyLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &told{}
		l, stop := serve(t, New(Options{Source: source}))
		time.Sleep(time.Hour)
		if looks, checks := source.counted(); looks+checks != 0 {
			t.Errorf("nobody looked, and there were %d snapshots and %d checks", looks, checks)
		}
		var all []*watcher
		for range 5 {
			all = append(all, watch(t, l))
		}
		time.Sleep(100*time.Second + 500*time.Millisecond)
		looks, checks := source.counted()
		if looks < 100 || looks > 102 || checks < 9 || checks > 11 {
			t.Errorf("%d snapshots and %d checks in 100 seconds", looks, checks)
		}
		for i, w := range all {
			// The time limits of the server are long over.
			if n := w.count("id: "); n < 100 || n > 102 {
				t.Errorf("viewer %d got %d snapshots", i, n)
			}
			w.conn.Close()
		}
		time.Sleep(time.Minute)
		before, _ := source.counted()
		time.Sleep(time.Hour)
		if after, _ := source.counted(); after != before {
			t.Errorf("all have left, and there were %d more snapshots", after-before)
		}
		stop()
	})
}

func TestStreamsEndWithThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := serve(t, New(Options{Source: &told{}}))
		w := watch(t, l)
		time.Sleep(2 * time.Second)
		if n := w.count("retry: 2000"); n != 1 {
			t.Errorf("%d lines tell when to try again", n)
		}
		stop()
		if n := w.count("event: end"); n != 1 {
			t.Errorf("%d goodbyes", n)
		}
		late := New(Options{Source: &told{}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = late.Run(ctx)
		r := httptest.NewRecorder()
		late.ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ui/events", nil))
		if r.Code != http.StatusServiceUnavailable {
			t.Errorf("a page that has ended answers %d", r.Code)
		}
	})
}

// A snapshot that takes long is made less often, and who does not read delays neither the others
// nor the page.
func TestSlowSnapshotsAndViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &told{cost: 500 * time.Millisecond}
		l, stop := serve(t, New(Options{Source: source}))
		deaf := l.dial()
		fmt.Fprint(deaf, "GET /ui/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		w := watch(t, l)
		time.Sleep(100 * time.Second)
		most := int(100*time.Second/(share*source.cost)) + 1
		if looks, _ := source.counted(); looks < most/2 || looks > most {
			t.Errorf("%d snapshots of half a second each in 100 seconds", looks)
		}
		if n := w.count("id: "); n < most/2 {
			t.Errorf("the other viewer got %d snapshots", n)
		}
		// Its time to receive something is over.
		if _, err := deaf.Write([]byte("x")); err == nil {
			t.Error("a viewer that does not read is kept")
		}
		stop()
	})
}

// A stream without news has a sign of life.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &told{cost: time.Minute} // the next is made minutes later
		l, stop := serve(t, New(Options{Source: source}))
		w := watch(t, l)
		time.Sleep(source.cost + 10*heartbeat + time.Second)
		if n := w.count(": still here"); n < 9 || n > 11 {
			t.Errorf("%d signs of life", n)
		}
		stop()
	})
}

func get(t *testing.T, p *Page, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestSnapshotIsBounded(t *testing.T) {
	source := &told{}
	began := time.Now().Add(-time.Hour)
	for i := range 5000 {
		source.state.Waiting = append(source.state.Waiting, Waiting{ID: int64(i), Name: fmt.Sprint("f", i), Size: 10, Since: began, Error: "no route"})
	}
	p := New(Options{Source: source})
	w := get(t, p, "/ui/snapshot")
	var s Snapshot
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Waiting.Total != 5000 || len(s.Waiting.Rows) != PageRows || s.Queue.Changes != 5000 || s.Queue.Bytes != 50000 || s.Queue.Failing != 5000 {
		t.Errorf("%d rows of %d; %+v", len(s.Waiting.Rows), s.Waiting.Total, s.Queue)
	}
	if n := w.Body.Len(); n > 100<<10 {
		t.Errorf("a snapshot has %d bytes", n)
	}
	if len(s.Trouble) != 1 || !s.Trouble[0].Bad || !strings.Contains(s.Trouble[0].Text, "behind") {
		t.Errorf("trouble: %+v", s.Trouble)
	}
	for first, want := range map[string]int{"0": 0, "250": 200, "4999": 4900, "100000": 4900, "-3": 0} {
		var part List[Waiting]
		w := get(t, p, "/ui/rows?list=waiting&first="+first)
		if err := json.Unmarshal(w.Body.Bytes(), &part); err != nil {
			t.Fatal(err)
		}
		if part.First != want || part.Total != 5000 || part.Rows[0].ID != int64(want) {
			t.Errorf("rows from %s on begin with %d, %v", first, part.First, part.Rows[0])
		}
	}
	if looks, _ := source.counted(); looks != 1 {
		t.Errorf("%d snapshots were made in a moment", looks)
	}
	for path, want := range map[string]int{"/ui/rows?list=passwords&first=0": 404, "/ui/rows?list=waiting": 400, "/ui/": 404, "/ui/page.html": 404, "/x": 404} {
		if w := get(t, p, path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// No response may make a browser run, or load, what is not of the page.
func TestPolicy(t *testing.T) {
	source := &told{state: State{Server: Server{Name: "<script>alert(1)</script>"}}}
	p := New(Options{Source: source, May: func(_ context.Context, call string) bool { return call == "ftp/kick" }})
	for _, path := range []string{"/", "/ui/page.js", "/ui/list.js", "/ui/words.js", "/ui/page.css", "/ui/icon.svg", "/ui/snapshot"} {
		w := get(t, p, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		for key, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(key); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, key, got)
			}
		}
		if strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s allows what is unsafe", path)
		}
	}
	body := get(t, p, "/").Body.String()
	for _, bad := range []string{"<script>", "style=", "onclick", "onerror", "http://", "https://", "<style"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(body, `data-may="ftp/kick"`) {
		t.Error("the page does not tell what its reader may do")
	}
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "state", "traffic.json")
		source := &told{in: 5 << 30}
		p := New(Options{Source: source, History: name})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		time.Sleep(interval / 2)
		for range 120 {
			time.Sleep(time.Second)
			source.change(func(t *told) { t.in += 1000; t.out += 3000 })
		}
		traffic := p.history.traffic()
		if traffic.In != 1000 || traffic.Out != 3000 {
			t.Errorf("%v in, %v out: what was before the start does not count", traffic.In, traffic.Out)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		after := New(Options{Source: source, History: name}).history.traffic()
		if after.In != 0 || after.Out != 0 {
			t.Errorf("after a pause there is %v in, %v out", after.In, after.Out)
		}
		// 119 or 120 of 3600 seconds.
		if m := after.Hour.MeanOut; m < 98 || m > 101 {
			t.Errorf("the mean of the hour is %v", m)
		}
		if m := after.Day.MeanIn; m < 1.3 || m > 1.4 {
			t.Errorf("the mean of the day is %v", m)
		}
		time.Sleep(31 * time.Minute)
		if gone := New(Options{Source: source, History: name}).history.traffic(); gone.Hour.Top != 0 || gone.Day.Top == 0 {
			t.Errorf("an hour later: %v of the hour, %v of the day", gone.Hour.Top, gone.Day.Top)
		}
	})
}
