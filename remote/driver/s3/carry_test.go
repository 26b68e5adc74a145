package s3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"ferry/remote"
)

// A recorder keeps what requests carry.
type recorder struct {
	mu   sync.Mutex
	seen []*http.Request // guarded by mu; without their bodies
}

func (r *recorder) take() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// openRecorded opens a remote whose connections all lead to a recorded server, whatever the
// endpoint is called.
func openRecorded(t *testing.T, o Options) (*Remote, *recorder) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	real := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	rec := &recorder{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		rec.mu.Lock()
		rec.seen = append(rec.seen, q.Clone(context.WithoutCancel(q.Context())))
		rec.mu.Unlock()
		if bucket, _, ok := strings.Cut(q.Host, "."); ok && bucket == testBucket { // the fake wants it in the path
			q.URL.Path = "/" + bucket + q.URL.Path
		}
		real.ServeHTTP(w, q)
	})
	r := openAt(t, testBucket, o)
	server := httptest.NewUnstartedServer(handler)
	if r.opt.secure {
		server.StartTLS()
		r.transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // its name is not the endpoint's
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	addr := server.Listener.Addr().String()
	r.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return r, rec
}

func TestHowRequestsAreSigned(t *testing.T) {
	const host = "https://s3.example.org"
	keys := Options{Provider: "Minio", Endpoint: host, AccessKeyID: testKey, SecretAccessKey: testSecret}
	for what, c := range map[string]struct {
		change func(t *testing.T, o *Options)
		check  func(q *http.Request) bool
	}{
		"by version 4": {func(*testing.T, *Options) {}, func(q *http.Request) bool {
			return strings.HasPrefix(q.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="+testKey+"/") &&
				strings.Contains(q.Header.Get("Authorization"), "/us-east-1/s3/") && len(q.Header.Get("X-Amz-Content-Sha256")) == 64
		}},
		"by version 2": {func(_ *testing.T, o *Options) { o.V2Auth = true }, func(q *http.Request) bool {
			return strings.HasPrefix(q.Header.Get("Authorization"), "AWS "+testKey+":") && (q.Method != http.MethodPut || q.Header.Get("Content-Md5") != "")
		}},
		"not at all": {func(_ *testing.T, o *Options) { o.AccessKeyID, o.SecretAccessKey = "", "" }, func(q *http.Request) bool {
			return q.Header.Get("Authorization") == ""
		}},
		"without the content": {func(_ *testing.T, o *Options) { o.UnsignedPayload = true }, func(q *http.Request) bool {
			return q.Method != http.MethodPut || q.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" && q.Header.Get("Content-Md5") != ""
		}},
		"for another region": {func(_ *testing.T, o *Options) { o.Region = "eu-west-9" }, func(q *http.Request) bool {
			return strings.Contains(q.Header.Get("Authorization"), "/eu-west-9/s3/")
		}},
		"with a session": {func(_ *testing.T, o *Options) { o.SessionToken = "token" }, func(q *http.Request) bool {
			return q.Header.Get("X-Amz-Security-Token") == "token"
		}},
		"from the environment": {func(t *testing.T, o *Options) {
			o.AccessKeyID, o.SecretAccessKey, o.EnvAuth = "", "", true
			t.Setenv("AWS_ACCESS_KEY_ID", "fromenv")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
		}, func(q *http.Request) bool {
			return strings.Contains(q.Header.Get("Authorization"), "Credential=fromenv/")
		}},
		"with the bucket in the path": {func(*testing.T, *Options) {}, func(q *http.Request) bool {
			return q.Host == "s3.example.org" && strings.HasPrefix(q.URL.Path, "/bucket")
		}},
		"with the bucket in the host": {func(_ *testing.T, o *Options) { o.PathStyle = new(bool) }, func(q *http.Request) bool {
			return q.Host == "bucket.s3.example.org"
		}},
	} {
		t.Run(what, func(t *testing.T) {
			o := keys
			c.change(t, &o)
			r, rec := openRecorded(t, o)
			store(t, r, "f", remote.StageOptions{}, []byte("x"))
			if _, err := r.Stat(t.Context(), "f"); err != nil {
				t.Error(err)
			}
			for _, q := range rec.take() {
				if !c.check(q) {
					t.Errorf("%s %s%s %v", q.Method, q.Host, q.URL, q.Header)
				}
			}
		})
	}
}

// A server that encrypts with a key it does not keep needs that key with every request for an
// object.
func TestTheCustomersKeyComesAlong(t *testing.T) {
	const algorithm = "X-Amz-Server-Side-Encryption-Customer-Algorithm"
	o := Options{Endpoint: "https://h.example.org", Provider: "Other", AccessKeyID: testKey, SecretAccessKey: testSecret,
		CustomerKey: strings.Repeat("k", 32)}
	r, rec := openRecorded(t, o)
	ctx := t.Context()
	store(t, r, "small", remote.StageOptions{}, []byte("x"))
	store(t, r, "long", remote.StageOptions{}, pattern(2*minPart))
	if got := load(t, r, "long"); !bytes.Equal(got, pattern(2*minPart)) {
		t.Errorf("%d bytes", len(got))
	}
	if err := r.Copy(ctx, "small", "copy"); err != nil {
		t.Error(err)
	}
	if sum, err := r.Hash(ctx, "small", "md5"); !errors.Is(err, remote.ErrUnsupported) { // its ETag is that of something else
		t.Errorf("%x, %v", sum, err)
	}
	copies := 0
	for _, q := range rec.take() {
		if !strings.HasPrefix(q.URL.Path, "/bucket/") || q.URL.Path == "/bucket/" {
			continue // is about no object
		}
		if q.Header.Get(algorithm) != "AES256" {
			t.Errorf("%s %s: %v", q.Method, q.URL, q.Header)
		}
		if q.Header.Get("X-Amz-Copy-Source") != "" {
			copies++
			if q.Header.Get("X-Amz-Copy-Source-Server-Side-Encryption-Customer-Algorithm") != "AES256" {
				t.Errorf("a copy: %v", q.Header)
			}
		}
	}
	if copies != 1 {
		t.Errorf("%d copies", copies)
	}
}

func TestWhatNewObjectsAreGiven(t *testing.T) {
	o := Options{Endpoint: "http://h.example.org", Provider: "Other", AccessKeyID: testKey, SecretAccessKey: testSecret,
		ACL: "public-read", StorageClass: "STANDARD_IA", ServerSideEncryption: "AES256"}
	r, rec := openRecorded(t, o)
	store(t, r, "small", remote.StageOptions{}, []byte("x"))
	store(t, r, "long", remote.StageOptions{}, pattern(2*minPart))
	if err := r.Move(t.Context(), "small", "moved"); err != nil {
		t.Error(err)
	}
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Error(err)
	}
	made := 0
	for _, q := range rec.take() {
		query := q.URL.Query()
		if q.Method == http.MethodPut && !query.Has("partNumber") || query.Has("uploads") {
			made++
			h := q.Header
			if h.Get("X-Amz-Acl") != "public-read" || h.Get("X-Amz-Storage-Class") != "STANDARD_IA" ||
				h.Get("X-Amz-Server-Side-Encryption") != "AES256" {
				t.Errorf("%s %s: %v", q.Method, q.URL, h)
			}
		}
	}
	if made != 4 {
		t.Errorf("%d objects", made)
	}
}

// The server refuses what was damaged on the way.
func TestContentIsCoveredByTheSignature(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	o := r.putOptions(place{Bucket: testBucket, Name: "f"}, time.Time{})
	o.DisableContentSha256 = true
	_, sum := r.digests([]byte("what was meant"))
	_, err := r.once.PutObject(t.Context(), testBucket, "f", io.NopCloser(strings.NewReader("what has come.")), 14, "", sum, o)
	if !isCode(err, "XAmzContentSHA256Mismatch") {
		t.Errorf("damaged content: %v", err)
	}
}
