package rc

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Who has given no password may send little.
func TestBodiesOfOpenCallsAreBounded(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	body := func(n int) string { return "a=" + strings.Repeat("x", n-2) }
	open := newServer(t, Options{})
	guarded := newServer(t, Options{Check: sesame})
	right := map[string]string{"Authorization": basicRight}
	for _, tt := range []struct {
		name   string
		s      *Server
		header map[string]string
		kind   string
		body   string
		want   int
	}{
		{"little without a password", open, nil, form, body(64 << 10), http.StatusOK},
		{"much without a password", open, nil, form, body(64<<10 + 1), http.StatusRequestEntityTooLarge},
		{"JSON without a password", open, nil, "application/json", `{"a":"` + strings.Repeat("x", 64<<10) + `"}`, http.StatusRequestEntityTooLarge},
		{"much with a password", guarded, right, form, body(1 << 20), http.StatusOK},
		{"too much with a password", guarded, right, form, body(5 << 20), http.StatusRequestEntityTooLarge},
	} {
		if w := (request{target: "/rc/noop", contentType: tt.kind, body: tt.body, header: tt.header}).do(tt.s); w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

func (js *jobs) known() int {
	js.mu.Lock()
	defer js.mu.Unlock()
	return len(js.all)
}

// Jobs are forgotten in time, also when nobody calls any more.
func TestJobsAreForgottenByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, Options{})
		for range 3 {
			request{target: "/rc/noop?a=1"}.do(s)
			time.Sleep(15 * time.Second)
		}
		if n := s.jobs.known(); n != 3 {
			t.Errorf("%d jobs are known", n)
		}
		time.Sleep(35 * time.Second)
		if n := s.jobs.known(); n != 1 {
			t.Errorf("%d jobs are known after 80 seconds", n)
		}
		time.Sleep(time.Minute)
		if n := s.jobs.known(); n != 0 {
			t.Errorf("%d jobs are known for ever", n)
		}
	})
}

// What jobs have returned takes bounded memory.
func TestResultsOfJobsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	s := newServer(t, Options{NoAuth: true})
	const json = "application/json"
	small := request{target: "/rc/noop", contentType: json, body: `{"a":"first"}`}
	small.do(s)
	for range 30 {
		request{target: "/rc/noop", contentType: json, body: `{"a":"` + strings.Repeat("x", 1<<20) + `"}`}.do(s)
	}
	if n := s.jobs.known(); n < 10 || n > 16 {
		t.Errorf("%d jobs of 1 MiB each are known", n)
	}
	// Many small values take more than their text.
	request{target: "/rc/noop", contentType: json, body: `{"a":[` + strings.Repeat("0,", 1<<18) + `0]}`}.do(s)
	small.do(s)
	if s.jobs.bytes > maxJobBytes {
		t.Errorf("the results take %d bytes", s.jobs.bytes)
	}
	if out := status(t, s, "32"); out["success"] != true || out["output"].(map[string]any)["omitted"] == nil {
		t.Errorf("a result that is too large is shown as %.200v", out)
	}
}

// counting is a Throttle as FTP has one: half a second for each failure, and no more than two turns
// ahead.
type counting struct {
	turn     chan struct{} // holds one
	mu       sync.Mutex
	failures int
	free     time.Time
}

func (c *counting) Turn(context.Context, netip.Addr) func() {
	c.turn <- struct{}{}
	return sync.OnceFunc(func() { <-c.turn })
}

func (c *counting) Delay(_ netip.Addr, now time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures == 0 {
		return 0, true
	}
	begin := now
	if c.free.After(now) {
		begin = c.free
	}
	if begin.Sub(now) > 2*time.Second {
		return 0, false
	}
	c.free = begin.Add(time.Second)
	return begin.Sub(now), true
}

func (c *counting) Failed(_ netip.Addr, now time.Time) (int, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures++
	if c.free.Before(now) {
		c.free = now.Add(time.Second)
	}
	return c.failures, time.Duration(c.failures) * time.Second
}

func (c *counting) Succeeded(netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = 0
}

// Wrong passwords are slow, also many at a time, and logged as those of FTP.
func TestWrongPasswordsTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var checks, atOnce, most atomic.Int32
		check := func(user, password string) Rights {
			checks.Add(1)
			most.Store(max(most.Load(), atOnce.Add(1)))
			defer atOnce.Add(-1)
			time.Sleep(10 * time.Millisecond) // a hash
			return sesame(user, password)
		}
		throttle := &counting{turn: make(chan struct{}, 1)}
		s := newServer(t, Options{Check: check, Throttle: throttle, Log: slog.New(slog.NewTextHandler(&log, nil))})
		wrong := request{target: "/rc/noop", header: map[string]string{"Authorization": basicWrong}}
		right := request{target: "/rc/noop", header: map[string]string{"Authorization": basicRight}}
		began := time.Now()
		if w := wrong.do(s); w.Code != http.StatusUnauthorized || time.Since(began) < time.Second {
			t.Errorf("a wrong password: %d after %v", w.Code, time.Since(began))
		}
		if got := log.String(); !strings.Contains(got, `msg="login denied" client=127.0.0.1:40000 user=bob failures=1`) || strings.Contains(got, "open") {
			t.Errorf("the log says %s", got)
		}
		if w := right.do(s); w.Code != http.StatusOK {
			t.Errorf("the right password: %d", w.Code)
		}
		checks.Store(0)
		var answers [600]atomic.Int32
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { answers[wrong.do(s).Code].Add(1) })
		}
		all.Wait()
		if n := checks.Load(); n > 5 || most.Load() > 2 {
			t.Errorf("%d of 100 passwords were looked at, %d at a time", n, most.Load())
		}
		if n := answers[http.StatusTooManyRequests].Load(); n < 90 {
			t.Errorf("%d of 100 were sent away", n)
		}
	})
}

// More connections than there may be are closed at once.
func TestConnectionsAreLimited(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, newServer(t, Options{MaxConnections: 3}), l)
	var conns []net.Conn
	for range 6 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conns = append(conns, conn)
	}
	answered := func(conn net.Conn) bool {
		fmt.Fprint(conn, "POST /rc/noop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return strings.Contains(line, " 200 ")
	}
	for i, conn := range conns {
		if answered(conn) != (i < 3) {
			t.Errorf("connection %d is answered: %v", i+1, i >= 3)
		}
	}
	conns[0].Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(deadline)
		ok := answered(conn)
		conn.Close()
		if ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a connection that ends makes no room")
		}
	}
}
