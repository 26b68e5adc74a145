package onedrive_test

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/graphserver"
)

// aside is what a file is called while it is replaced.
func aside(base string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(base)))
	return base + ".ferry-replaced-" + base32.StdEncoding.EncodeToString(sum[:5])
}

// upTo is a way to a server on which so many requests get through, and after them none: to the
// server it is as if who asks was killed. If answered is not set, the last one has no answer.
func upTo(t *testing.T, addr string, n int64, answered bool) (way string, came *atomic.Int64) {
	came = new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch i := came.Add(1); {
		case i > n:
			panic(http.ErrAbortHandler)
		case i == n && !answered:
			proxy.ServeHTTP(httptest.NewRecorder(), q)
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, q)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), came
}

// Wherever it is killed while it replaces a file, the next one finds the old file or the new one
// under the name, and nothing else, however it asks first.
func TestKilledAtEveryRequestOfAReplacement(t *testing.T) {
	t.Parallel()
	asks := map[string]func(t *testing.T, r remote.Remote){
		"list": func(t *testing.T, r remote.Remote) { remotetest.Names(t, r, ".") },
		"stat": func(t *testing.T, r remote.Remote) { _, _ = r.Stat(t.Context(), "F.") },
		"open": func(t *testing.T, r remote.Remote) { get(t, r, "F.") },
	}
	for what, ask := range asks {
		for _, answered := range []bool{true, false} {
			t.Run(fmt.Sprint(what, answered), func(t *testing.T) {
				t.Parallel()
				found := map[string]bool{}
				for n := int64(1); ; n++ {
					content, ended := killedAt(t, n, answered, ask)
					found[content] = true
					if ended {
						break
					}
				}
				if !found["old"] || !found["new"] {
					t.Errorf("there were only %v", found)
				}
			})
		}
	}
}

// killedAt replaces a file by n requests, and returns what the next remote finds, and whether it
// took no more.
func killedAt(t *testing.T, n int64, answered bool, ask func(*testing.T, remote.Remote)) (content string, ended bool) {
	s := graphserver.Start(t)
	next, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	next.GapOf(10 * time.Millisecond)
	put(t, next, "F.", "old")
	put(t, next, "g", "new")
	way, came := upTo(t, s.Addr, n, answered)
	killed := open(t, way, onedrive.Options{DriveID: drive, DriveType: graphserver.Business})
	err := killed.Move(t.Context(), "g", "F.")
	if err := killed.Close(); err != nil {
		t.Error(err)
	}
	left := s.Names(drive, "")
	ask(t, next)
	content = get(t, next, "F.")
	if content != "old" && content != "new" || err == nil && content != "new" {
		t.Errorf("after %d requests it holds %q, %v", n, content, err)
	}
	want := map[string]string{"old": "F. g", "new": "F."}[content]
	if names := remotetest.Names(t, next, "."); names != want {
		t.Errorf("after %d requests there is %q, listed as %q", n, left, names)
	}
	if names := s.Names(drive, ""); strings.Contains(names, "replaced") {
		t.Errorf("after %d requests, and a listing, there is %q", n, names)
	}
	return content, came.Load() <= n && err == nil
}

// What was replaced does not come back when its replacement goes, whoever was killed.
func TestWhatWasReplacedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	for what, goes := range map[string]func(r *onedrive.Remote, ctx context.Context) error{
		"removed": func(r *onedrive.Remote, ctx context.Context) error { return r.Remove(ctx, "f") },
		"renamed": func(r *onedrive.Remote, ctx context.Context) error { return r.Move(ctx, "f", "h") },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := graphserver.Start(t)
			r, drive := openDrive(t, s, s.Addr, graphserver.Personal, onedrive.Options{})
			put(t, r, "x", "old")
			put(t, r, "f", "new")
			s.Rename(drive, "x", aside("f"))
			if err := goes(r, t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Stat(t.Context(), "f"); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%v", err)
			}
			if names := s.Names(drive, ""); strings.Contains(names, "f") {
				t.Errorf("there is %q", names)
			}
		})
	}
}

// A file that was left aside by one who was killed is no obstacle to the next replacement.
func TestTheNextReplacement(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Personal, onedrive.Options{})
	put(t, r, "x", "older")
	put(t, r, "f", "old")
	put(t, r, "g", "new")
	s.Rename(drive, "x", aside("f"))
	if err := r.Move(t.Context(), "g", "f"); err != nil {
		t.Fatal(err)
	}
	if names := s.Names(drive, ""); names != "f" || get(t, r, "f") != "new" {
		t.Errorf("there is %q", names)
	}
	long := strings.Repeat("n", 250) // there is no room for a mark
	put(t, r, long, "old")
	put(t, r, "g", "new")
	if err := remote.Move(t.Context(), r, "g", long); err != nil || get(t, r, long) != "new" {
		t.Errorf("%v", err)
	}
}

// Several processes replace a file, while others look at it: they see one content or the other.
func TestProcessesThatReplaceAtOnce(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	put(t, r, "f", "0")
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for i := range 2 {
		other := open(t, s.Addr, onedrive.Options{DriveID: drive, DriveType: graphserver.Business})
		defer other.Close()
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if names := remotetest.Names(t, other, "."); strings.Contains(names, "replaced") || strings.Count(names, "f") > 1 {
					t.Errorf("there is %q", names)
				}
				_, _ = other.Stat(t.Context(), "f")
			}
		})
		mine := open(t, s.Addr, onedrive.Options{DriveID: drive, DriveType: graphserver.Business})
		defer mine.Close()
		writers.Go(func() {
			name := fmt.Sprint("g", i)
			for range 20 {
				if _, err := mine.Put(t.Context(), name, strings.NewReader(name), remote.PutOptions{}); err != nil {
					t.Errorf("Put: %v", err)
				}
				if err := mine.Move(t.Context(), name, "f"); err != nil && remote.Permanent(err) {
					t.Errorf("Move: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if names := remotetest.Names(t, r, "."); !strings.HasPrefix(names, "f") {
		t.Errorf("there is %q", names)
	}
	if got := get(t, r, "f"); !strings.HasPrefix(got, "g") {
		t.Errorf("it holds %q", got)
	}
	if names := s.Names(drive, ""); strings.Contains(names, "replaced") {
		t.Errorf("there is %q", names)
	}
}

// Another process that is about to replace a file is not disturbed.
func TestAnotherProcessInTheGapIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	r.GapOf(time.Hour)
	put(t, r, "f", "new")
	put(t, r, "x", "old")
	s.Rename(drive, "x", aside("f"))
	s.Rename(drive, "f", "g")
	s.Requests()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer := make(chan error)
	go func() {
		_, err := r.Stat(ctx, "f")
		answer <- err
	}()
	for asked := 0; asked < 3; asked += len(s.Requests()) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if names := s.Names(drive, ""); names != aside("f")+" g" {
		t.Errorf("there is %q", names)
	}
}
