package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/notice"
	"ferry/remote/remotetest"
)

// startMinIO runs MinIO on an empty directory until the test ends, and returns its address.
func startMinIO(t *testing.T) string {
	t.Helper()
	exe, err := exec.LookPath("minio")
	if err != nil {
		t.Skip("there is no program minio")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, testBucket), 0o700); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	cmd := exec.Command(exe, "server", "--quiet", "--address", addr, "--console-address", "127.0.0.1:0", "--certs-dir", t.TempDir(), dir)
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+testKey, "MINIO_ROOT_PASSWORD="+testSecret, "MINIO_UPDATE=off", "MINIO_BROWSER=off")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	waitFor(t, addr, exited, &out)
	for {
		a, err := http.Get("http://" + addr + "/minio/health/cluster")
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode == http.StatusOK {
			return addr
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("MinIO does not begin its work")
		}
	}
}

func TestRemoteOnMinIO(t *testing.T) {
	o := testOptions(startMinIO(t))
	o.Provider = "Minio"
	o.MaxName = 246 // it keeps objects as files, and directories with some more bytes in their names
	remotetest.Run(t, func(t *testing.T) remote.Remote { return openAt(t, nextPrefix(), o) })
}

// A teller is a front that tells of events as MinIO does.
type teller struct {
	*front
	mu        sync.Mutex
	listeners map[chan string]struct{} // guarded by mu
	asked     []string                 // guarded by mu; the query of each that listened
}

// startTeller starts a front of a server in this process that tells of what it does.
func startTeller(t *testing.T) *teller {
	t.Helper()
	f := &teller{front: startFake(t), listeners: map[chan string]struct{}{}}
	inner := f.handler
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Has("events") {
			f.listen(w, q)
			return
		}
		a := httptest.NewRecorder()
		inner.ServeHTTP(a, q)
		if name := eventOf(q, a.Code); name != "" {
			f.tell(name, q, strings.Trim(a.Header().Get("ETag"), `"`))
		}
		for key, values := range a.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(a.Code)
		_, _ = a.Body.WriteTo(w)
	})
	return f
}

// eventOf returns what a request that was answered so has done to an object, if anything.
func eventOf(q *http.Request, status int) string {
	query := q.URL.Query()
	_, key, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	switch {
	case status >= 300 || key == "" || query.Has("partNumber") || query.Has("uploads"):
	case q.Header.Get("X-Amz-Copy-Source") != "":
		return "s3:ObjectCreated:Copy"
	case q.Method == http.MethodPut:
		return "s3:ObjectCreated:Put"
	case q.Method == http.MethodPost:
		return "s3:ObjectCreated:CompleteMultipartUpload"
	case q.Method == http.MethodDelete && !query.Has("uploadId"):
		return "s3:ObjectRemoved:Delete"
	}
	return ""
}

func (f *teller) tell(name string, q *http.Request, etag string) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	object := map[string]any{"key": key, "sequencer": "18EA66286E0EC57A"}
	if strings.HasPrefix(name, "s3:ObjectCreated:") {
		object["eTag"], object["size"] = etag, 1
	}
	line, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"eventVersion": "2.0", "eventSource": "minio:s3", "awsRegion": "", "eventTime": "2026-11-22T15:02:05.299Z", "eventName": name,
		"s3": map[string]any{"s3SchemaVersion": "1.0", "bucket": map[string]any{"name": bucket, "arn": "arn:aws:s3:::" + bucket}, "object": object},
	}}})
	if err != nil {
		panic(err) // it cannot be
	}
	f.say(string(line))
}

// say sends a line to all who listen.
func (f *teller) say(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		l <- line
	}
}

func (f *teller) listen(w http.ResponseWriter, q *http.Request) {
	lines := make(chan string, 1000)
	f.mu.Lock()
	f.listeners[lines] = struct{}{}
	f.asked = append(f.asked, q.URL.RawQuery)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, lines)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	lines <- `{"Records":null}`
	for {
		select {
		case line := <-lines:
			if line == "" {
				return
			}
			fmt.Fprintln(w, line)
			_ = http.NewResponseController(w).Flush() // nobody may be there any more
		case <-q.Context().Done():
			return
		}
	}
}

func TestWatchOnATeller(t *testing.T) {
	remotetest.RunWatch(t, func(t *testing.T) remote.Remote {
		return openAt(t, testBucket, testOptions(startTeller(t).addr))
	})
}

// watchOf begins a watch, and returns what yields the rest of it.
func watchOf(t *testing.T, r *Remote) (next func() (remote.Change, error, bool)) {
	t.Helper()
	next, stop := iter.Pull2(r.Watch(t.Context(), time.Minute))
	t.Cleanup(stop)
	if c, err, ok := next(); c != remote.Everything() || err != nil || !ok {
		t.Fatalf("it begins with %+v, %v", c, err)
	}
	return next
}

func TestWhatAnEventMeans(t *testing.T) {
	const (
		put    = "s3:ObjectCreated:Put"
		remove = "s3:ObjectRemoved:Delete"
	)
	for _, test := range []struct {
		path             string // of the remote
		name, bucket, at string // of the event
		want             remote.Change
		ok               bool
	}{
		{testBucket, put, testBucket, "d/f", remote.Change{Name: "d/f", Version: "etag"}, true},
		{testBucket, "s3:ObjectCreated:Copy", testBucket, "d/f", remote.Change{Name: "d/f"}, true},
		{testBucket, remove, testBucket, "d/f", remote.Change{Name: "d/f", Removed: true}, true},
		{testBucket, "s3:ObjectRemoved:DeleteMarkerCreated", testBucket, "f", remote.Change{Name: "f", Removed: true}, true},
		{testBucket, put, testBucket, "d/e/", remote.Change{Name: "d/e", Dir: true}, true},
		{testBucket, remove, testBucket, "d/e/", remote.Change{Name: "d/e", Dir: true, Removed: true}, true},
		{testBucket, put, testBucket, "a\u2401b", remote.Change{Name: "a\x01b", Version: "etag"}, true},
		{testBucket, put, testBucket, "a//b", remote.Change{}, false},
		{testBucket, put, testBucket, "a//", remote.Change{}, false},
		{testBucket, put, "another", "f", remote.Change{}, false},
		{testBucket, "s3:BucketRemoved:Force", testBucket, "", remote.Everything(), true},
		{testBucket, "s3:BucketRemoved:Force", "another", "", remote.Change{}, false},
		{testBucket + "/d", put, testBucket, "d/f", remote.Change{Name: "f", Version: "etag"}, true},
		{testBucket + "/d", put, testBucket, "d/", remote.Change{}, false},
		{testBucket + "/d", put, testBucket, "dd/f", remote.Change{}, false},
		{"", put, testBucket, "d/f", remote.Change{Name: testBucket + "/d/f", Version: "etag"}, true},
		{"", "s3:BucketCreated:*", "new", "", remote.Change{Name: "new", Dir: true, Below: true}, true},
		{"", "s3:BucketRemoved:*", "old", "", remote.Change{Name: "old", Dir: true, Below: true, Removed: true}, true},
	} {
		o := testOptions("127.0.0.1:1")
		o.Encoding |= nameenc.Ctl
		r := openAt(t, test.path, o)
		line, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
			"eventName": test.name, "s3": map[string]any{"bucket": map[string]any{"name": test.bucket}, "object": map[string]any{"key": test.at, "eTag": "etag"}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		all, err := notice.ParseStream(line)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %+v, %v", line, all, err)
		}
		changes := all[0].Changes(r)
		if ok := len(changes) == 1; ok != test.ok || ok && changes[0] != test.want {
			t.Errorf("%q: %s of %s/%s is %+v", test.path, test.name, test.bucket, test.at, changes)
		}
	}
}

func TestAWatchAsksForWhatIsBelowItsRoot(t *testing.T) {
	f := startTeller(t)
	for path, want := range map[string]string{
		testBucket: "", testBucket + "/d e": "d e/", testBucket + "/what?": "", "": "",
	} {
		watchOf(t, openAt(t, path, testOptions(f.addr)))
		f.mu.Lock()
		query, err := url.ParseQuery(f.asked[len(f.asked)-1])
		f.mu.Unlock()
		if err != nil || query.Get("prefix") != want || !query.Has("suffix") || query.Get("ping") != "1" || len(query["events"]) < 2 {
			t.Errorf("%q: %v, %v", path, query, err)
		}
	}
}

func TestAWatchThatBreaks(t *testing.T) {
	for line, want := range map[string]string{
		"":       "has ended the connection",
		"<html>": "no event",
		`{"Records":[` + strings.Repeat(" ", 5<<20): "too long",
	} {
		f := startTeller(t)
		next := watchOf(t, openAt(t, testBucket, testOptions(f.addr)))
		f.say(line)
		if _, err, ok := next(); !ok || err == nil || remote.Permanent(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", line, err)
		}
		if c, err, ok := next(); ok {
			t.Errorf("%.20q: it goes on with %+v, %v", line, c, err)
		}
	}
}

func TestServersThatTellNothing(t *testing.T) {
	answers := func(status int, body string) func(w http.ResponseWriter, q *http.Request) bool {
		return func(w http.ResponseWriter, q *http.Request) bool {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
	}
	refusal := func(code string) string { return "<Error><Code>" + code + "</Code><Message>No.</Message></Error>" }
	for name, test := range map[string]struct {
		meddle func(w http.ResponseWriter, q *http.Request) bool
		want   error
	}{
		"one that lists the bucket":   {nil, remote.ErrUnsupported},
		"one that knows better":       {answers(501, refusal("NotImplemented")), remote.ErrUnsupported},
		"one that takes no arguments": {answers(400, refusal("InvalidArgument")), remote.ErrUnsupported},
		"one without the method":      {answers(405, ""), remote.ErrUnsupported},
		"one that refuses":            {answers(403, refusal("AccessDenied")), remote.ErrPermission},
		"one without the bucket":      {answers(404, refusal("NoSuchBucket")), remote.ErrNotExist},
		"one that fails":              {answers(503, "<html>"), nil},
	} {
		f := startFake(t)
		f.setMeddle(test.meddle)
		n := 0
		for c, err := range openAt(t, testBucket, testOptions(f.addr)).Watch(t.Context(), time.Minute) {
			if n++; err == nil || test.want != nil && !errors.Is(err, test.want) || test.want == nil && remote.Permanent(err) {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
		}
		if n != 1 || len(f.take()) != 1 {
			t.Errorf("%s: %d changes, or more than one request", name, n)
		}
	}
	f := startFake(t)
	f.setMeddle(answers(403, refusal("AccessDenied")))
	for _, err := range openAt(t, testBucket, testOptions(f.addr)).Watch(t.Context(), time.Minute) {
		if !strings.Contains(err.Error(), "s3:ListenBucketNotification") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("one that refuses: %v", err)
		}
	}
	amazon := openAt(t, testBucket, Options{Encoding: rcloneEncoding})
	for _, err := range amazon.Watch(t.Context(), time.Minute) {
		if !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("Amazon: %v", err)
		}
	}
}
