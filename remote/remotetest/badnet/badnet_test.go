package badnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
)

// patience bounds every wait. It is only used up when something is broken.
const patience = 20 * time.Second

// A far is a server that notes what it gets, in order, and a bad network to it.
type far struct {
	*testing.T
	net    *badnet.Network
	client *http.Client

	mu      sync.Mutex
	got     []string      // guarded by mu
	changed chan struct{} // guarded by mu
}

func newFar(t *testing.T) *far {
	f := &far{T: t, changed: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		what := fmt.Sprintf("%s %s %d", r.Method, r.URL, len(body))
		if err != nil {
			what += " cut"
		}
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
		} else {
			fmt.Fprintf(w, "answer to %s", what)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.got = append(f.got, what)
		close(f.changed)
		f.changed = make(chan struct{})
	}))
	t.Cleanup(server.Close)
	f.net = badnet.Start(t, strings.TrimPrefix(server.URL, "http://"))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	f.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(f.net.History())
		}
	})
	return f
}

// do makes a request of a body of that size, and returns its status, or 0.
func (f *far) do(method, path string, size int) (int, string) {
	f.Helper()
	return f.doFor(f.Context(), method, path, size)
}

func (f *far) doFor(ctx context.Context, method, path string, size int) (int, string) {
	f.Helper()
	q, err := http.NewRequestWithContext(ctx, method, "http://"+f.net.Addr+path, strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		f.Fatal(err)
	}
	answer, err := f.client.Do(q)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Error(err)
	}
	return answer.StatusCode, string(body)
}

func (f *far) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// wants waits until the server has got n requests, and compares them.
func (f *far) wants(want ...string) {
	f.Helper()
	for end := time.After(patience); ; {
		f.mu.Lock()
		got, changed := slices.Clone(f.got), f.changed
		f.mu.Unlock()
		if len(got) >= len(want) {
			if !slices.Equal(got, want) {
				f.Errorf("the server got %q, want %q", got, want)
			}
			return
		}
		select {
		case <-changed:
		case <-end:
			f.Fatalf("the server got %q, want %q", got, want)
		}
	}
}

func TestWithoutRulesEverythingPasses(t *testing.T) {
	f := newFar(t)
	for _, method := range []string{"PUT", "GET", "HEAD", "DELETE", "MOVE"} {
		code, body := f.do(method, "/a%2Fb?c=d", 100_000)
		want, text := 200, fmt.Sprintf("answer to %s /a%%2Fb?c=d 100000", method)
		switch method {
		case "DELETE":
			want, text = 204, ""
		case "HEAD":
			text = ""
		}
		if code != want || body != text {
			t.Errorf("%s: %d, %q", method, code, body)
		}
	}
	if q, err := http.NewRequest("PUT", "http://"+f.net.Addr+"/chunked", struct{ io.Reader }{strings.NewReader("abc")}); err != nil {
		t.Fatal(err)
	} else if answer, err := f.client.Do(q); err != nil {
		t.Fatal(err)
	} else if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "answer to PUT /chunked 3" {
		t.Errorf("%q, %v", body, err)
	}
}

// Some servers refuse what says its length twice.
func TestARequestIsPassedOnAsItIs(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	n := badnet.Start(t, ln.Addr().String())
	go func() {
		q, err := http.NewRequest("PUT", "http://"+n.Addr+"/a%2fb?x=%20", strings.NewReader("abc"))
		if err != nil {
			t.Error(err)
			return
		}
		q.Header = http.Header{"User-Agent": {"test"}, "X-Test": {"one", "two"}}
		if answer, err := http.DefaultTransport.RoundTrip(q); err == nil {
			answer.Body.Close()
		}
	}()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var got []byte
	for buf := make([]byte, 1000); !strings.HasSuffix(string(got), "abc"); {
		k, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:k]...)
	}
	want := "PUT /a%2fb?x=%20 HTTP/1.1\r\nHost: " + n.Addr + "\r\nContent-Length: 3\r\nAccept-Encoding: gzip\r\nConnection: close\r\n" +
		"User-Agent: test\r\nX-Test: one\r\nX-Test: two\r\n\r\nabc"
	if string(got) != want {
		t.Errorf("the server got %q, want %q", got, want)
	}
}

func TestABodyTakesItsTime(t *testing.T) {
	f := newFar(t)
	f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Rate: 500_000}})
	begin := time.Now()
	if code, _ := f.do("PUT", "/f", 100_000); code != 200 {
		t.Errorf("%d", code)
	}
	if took := time.Since(begin); took < 190*time.Millisecond {
		t.Errorf("100 kB at 500 kB/s took %v", took)
	}
}

// What was called back when it was on its way whole arrives, after what came later.
func TestWhatIsWholeArrivesAfterTheClientHasGone(t *testing.T) {
	f := newFar(t)
	f.net.Add(badnet.Rule{Path: "/f", Times: 1, Fate: badnet.Fate{Rate: 300_000}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		if err := f.net.Await(t.Context(), "has come whole", "PUT /f"); err != nil {
			t.Error(err)
		}
	}()
	if code, _ := f.doFor(ctx, "PUT", "/f", 100_000); code != 0 {
		t.Errorf("it was answered: %d", code)
	}
	if code, _ := f.do("PUT", "/f", 1); code != 200 {
		t.Errorf("the next one: %d", code)
	}
	f.wants("PUT /f 1", "PUT /f 100000")
}

// A body of which the client kept something back is delivered cut.
func TestWhatIsNotWholeArrivesCut(t *testing.T) {
	f := newFar(t)
	conn, err := net.Dial("tcp", f.net.Addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "PUT /f HTTP/1.1\r\nHost: far\r\nContent-Length: 10\r\n\r\n123456789")
	conn.Close()
	f.wants("PUT /f 9 cut")
	f.net.Add(badnet.Rule{Fate: badnet.Fate{Cut: true, CutAt: 40_000}})
	for path, size := range map[string]int{"/g": 100_000} {
		if code, _ := f.do("PUT", path, size); code != 0 {
			t.Errorf("%s was answered: %d", path, code)
		}
	}
	f.wants("PUT /f 9 cut", "PUT /g 40000 cut")
	if code, _ := f.do("PUT", "/h", 40_000); code != 0 {
		t.Errorf("it was answered: %d", code)
	}
	f.wants("PUT /f 9 cut", "PUT /g 40000 cut", "PUT /h 40000")
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		fate     badnet.Fate
		code     int
		arrives  bool
		duration time.Duration
	}{
		{badnet.Fate{Wait: 50 * time.Millisecond}, 200, true, 50 * time.Millisecond},
		{badnet.Fate{Late: 50 * time.Millisecond}, 200, true, 50 * time.Millisecond},
		{badnet.Fate{Answer: badnet.Dropped}, 0, true, 0},
		{badnet.Fate{Answer: badnet.Dropped, Status: 504}, 504, true, 0},
		{badnet.Fate{Answer: badnet.Ahead, Status: 502}, 502, true, 0},
		{badnet.Fate{Answer: badnet.Ahead, Lost: true}, 0, false, 0},
		{badnet.Fate{Answer: badnet.Ahead, Status: 502, Lost: true}, 502, false, 0},
	} {
		t.Run(tt.fate.String(), func(t *testing.T) {
			f := newFar(t)
			f.net.Add(badnet.Rule{Path: "/f", Times: 1, Fate: tt.fate})
			begin := time.Now()
			if code, _ := f.do("POST", "/f", 100_000); code != tt.code {
				t.Errorf("%d", code)
			}
			if took := time.Since(begin); took < tt.duration {
				t.Errorf("it took %v", took)
			}
			if err := f.net.Settle(t.Context()); err != nil {
				t.Error(err)
			}
			if arrived := len(f.seen()) == 1; arrived != tt.arrives {
				t.Errorf("the server got %q", f.seen())
			}
		})
	}
}

func TestTwoConnectionsAreReordered(t *testing.T) {
	f := newFar(t)
	until := make(chan struct{})
	f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Answer: badnet.Ahead, Until: until}})
	f.do("PUT", "/f", 10)
	if code, _ := f.do("DELETE", "/f", 0); code != 204 {
		t.Errorf("DELETE: %d", code)
	}
	if n := f.net.Underway(); n == 0 {
		t.Errorf("%d are under way", n)
	}
	close(until)
	f.wants("DELETE /f 0", "PUT /f 10")
}

func TestAHurryIsForWhatWasKeptBefore(t *testing.T) {
	f := newFar(t)
	f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Answer: badnet.Ahead, Status: 504, Late: time.Hour}})
	f.do("PUT", "/f", 10)
	f.net.Hurry()
	f.wants("PUT /f 10")
	f.do("PUT", "/g", 10)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("not settled"))
	defer cancel()
	if err := f.net.Settle(ctx); err == nil {
		t.Error("it was in a hurry again")
	}
	f.net.Close() // which does not wait for an hour
	f.wants("PUT /f 10")
}

// The same seed draws the same fates, whatever comes between.
func TestOddsAreRepeated(t *testing.T) {
	draw := func(noise int) (codes []int) {
		f := newFar(t)
		f.net.Play(badnet.Odds{Seed: 7, Dropped: 0.3, Lost: 0.3, Held: 0.1, Longest: time.Millisecond})
		for i := range 30 {
			for range noise {
				f.do("DELETE", "/noise", 0)
			}
			if code, _ := f.do("GET", "/f", 0); code != 200 {
				t.Errorf("GET: %d", code)
			}
			code, _ := f.do("PUT", "/f", i)
			codes = append(codes, code)
		}
		return codes
	}
	one, other := draw(0), draw(2)
	if !slices.Equal(one, other) {
		t.Errorf("%v and %v", one, other)
	}
	for _, code := range []int{0, 200, 502, 504} {
		if !slices.Contains(one, code) {
			t.Errorf("%d is never drawn", code)
		}
	}
}

func TestTheHistoryTellsWhatHappened(t *testing.T) {
	f := newFar(t)
	f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Answer: badnet.Dropped, Status: 504}})
	f.do("PUT", "/f", 3)
	f.do("GET", "/g", 0)
	awaiting, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := f.net.Await(awaiting, "has arrived", "PUT", "/f"); err != nil { // the answer may come before that is noted
		t.Fatal(err)
	}
	all, one := f.net.History(), f.net.HistoryOf("PUT", "/f")
	for _, part := range []string{"PUT /f, 3 bytes: answer dropped, status 504", "#1 has arrived", "#1 the server says 200 OK"} {
		if !strings.Contains(all, part) || !strings.Contains(one, part) {
			t.Errorf("%q is missing in\n%s", part, all)
		}
	}
	if strings.Contains(one, "/g") {
		t.Errorf("of another request:\n%s", one)
	}
}
