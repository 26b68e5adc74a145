package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestARemoteWithoutPollingIsReportedOnce(t *testing.T) {
	web := httptest.NewServer(http.FileServer(http.Dir(t.TempDir())))
	defer web.Close()
	for args, want := range map[string]string{
		"":                       "",
		"-v":                     "INFO",
		"--poll-interval 2m":     "NOTICE",
		"--poll-interval 0":      "",
		"--poll-interval 0 -v":   "INFO",
		"--poll-interval 2m -vv": "NOTICE",
	} {
		r := start(t, nil, append(strings.Fields(args), ":http,url=\""+web.URL+"\":", "--addr", "127.0.0.1:0")...)
		r.url(t)
		r.stop()
		r.wait(t)
		var said []string
		for line := range strings.Lines(r.logged()) {
			if strings.Contains(line, "polling for changes is not supported by http:") {
				said = append(said, line)
			}
		}
		if len(said) > 1 || (len(said) == 1) != (want != "") || len(said) == 1 && !strings.Contains(said[0], want) {
			t.Errorf("%q: %q", args, said)
		}
	}
}

// tellingBucket is a server of one bucket of S3 that tells of events as MinIO does.
type tellingBucket struct {
	mu     sync.Mutex
	keys   []string // guarded by mu
	events chan string
}

func (b *tellingBucket) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if !q.URL.Query().Has("events") {
		b.mu.Lock()
		defer b.mu.Unlock()
		fmt.Fprint(w, "<ListBucketResult><IsTruncated>false</IsTruncated>")
		for _, key := range b.keys {
			fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>1</Size><LastModified>2020-01-02T03:04:05.000Z</LastModified><ETag>x</ETag></Contents>", key)
		}
		fmt.Fprint(w, "</ListBucketResult>")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	for line := `{"Records":null}`; ; {
		fmt.Fprintln(w, line)
		_ = flush() // nobody may be there any more
		select {
		case line = <-b.events:
		case <-q.Context().Done():
			return
		}
	}
}

// put adds a key and tells of it.
func (b *tellingBucket) put(key string) {
	b.mu.Lock()
	b.keys = append(b.keys, key)
	b.mu.Unlock()
	b.events <- `{"Records":[{"eventName":"s3:ObjectCreated:Put","s3":{"bucket":{"name":"bucket"},"object":{"key":"` + key + `","eTag":"y"}}}]}`
}

func TestWhatABucketTellsShowsAtOnce(t *testing.T) {
	b := &tellingBucket{keys: []string{"first"}, events: make(chan string)}
	server := httptest.NewServer(b)
	defer server.Close()
	r, socket := controlled(t, `:s3,provider=Minio,endpoint="`+server.URL+`":bucket`, "--vfs-refresh")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	shows := func(want string) {
		t.Helper()
		got := ""
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // until it has been told
			if got = strings.Join(strings.Fields(c.list("")), " "); got == want {
				return
			}
		}
		t.Errorf("it shows %q, want %q", got, want)
	}
	for end := time.Now().Add(time.Minute); !strings.Contains(r.logged(), "listed the tree") && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond) // until it has been listed
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/stats"); out["metadataCache"].(map[string]any)["files"] != 1.0 {
		t.Errorf("what was listed at the start is forgotten: %v", out["metadataCache"])
	}
	shows("first")
	b.put("second")
	shows("first second")
	out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/poll-interval")
	if interval, _ := out["interval"].(map[string]any); out["enabled"] != true || out["supported"] != true || interval["seconds"] != 60.0 {
		t.Errorf("%v", out)
	}
	out, _ = call(t, exitOK, "--unix-socket", socket, "vfs/poll-interval", "interval=0")
	if out["enabled"] != false || out["timeout"] != false {
		t.Errorf("%v", out)
	}
	r.stop()
	r.wait(t)
}
