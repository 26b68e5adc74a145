package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"ferry/remote/nameenc"
	"ferry/remote/remotetest/servers"
)

const (
	gatewayModule  = "github.com/versity/versitygw/cmd/versitygw"
	gatewayVersion = "v1.8.0"

	testKey    = "ferrykey"
	testSecret = "ferrysecret"
	testBucket = "bucket"
)

// rcloneEncoding is how rclone spells names in keys.
const rcloneEncoding = nameenc.Slash | nameenc.InvalidUtf8 | nameenc.Dot

// TestTheGatewayCanBeBuilt builds it, which takes minutes the first time.
func TestTheGatewayCanBeBuilt(t *testing.T) {
	if exe := gateway(t); !filepath.IsAbs(exe) {
		t.Errorf("%q is no absolute path", exe)
	}
}

// gateway returns the executable. A test that lacks it is skipped, but not on the build machine.
func gateway(t testing.TB) string {
	t.Helper()
	return servers.BuildProgram(t, gatewayModule, gatewayVersion)
}

// startGateway runs the gateway on an empty directory until the test ends, and returns its address.
func startGateway(t testing.TB) string {
	t.Helper()
	exe := gateway(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, testBucket), 0o700); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	cmd := exec.Command(exe, "--access", testKey, "--secret", testSecret, "--port", addr, "--keep-alive", "--quiet",
		"posix", dir) // which needs extended attributes
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
	return addr
}

// waitFor returns when something listens.
func waitFor(t testing.TB, addr string, exited <-chan struct{}, out fmt.Stringer) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		select {
		case <-exited:
			t.Fatalf("the gateway has ended: %s", out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatal("the gateway does not listen")
}

func freeAddr(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t))
}

// testOptions are those of a server at addr.
func testOptions(addr string) Options {
	return Options{
		Provider: "Other", Endpoint: "http://" + addr, AccessKeyID: testKey, SecretAccessKey: testSecret, Encoding: rcloneEncoding,
	}
}

// openAt opens the remote at path.
func openAt(t *testing.T, path string, o Options) *Remote {
	t.Helper()
	r, err := New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A front is a server on which requests are counted, and can go wrong before the real one gets
// them.
type front struct {
	addr    string
	handler http.Handler // the real one

	mu       sync.Mutex
	requests []string                                                 // guarded by mu
	meddle   func(w http.ResponseWriter, q *http.Request) (done bool) // guarded by mu
}

// startFake starts a front of a server in this process.
func startFake(t *testing.T) *front {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	return startFront(t, gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
}

// startGatewayFront starts a front of the gateway.
func startGatewayFront(t *testing.T) *front {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: startGateway(t)}
	return startFront(t, &httputil.ReverseProxy{Rewrite: func(q *httputil.ProxyRequest) {
		q.SetURL(target)
		q.Out.Host = q.In.Host // it is signed
	}})
}

func startFront(t *testing.T, handler http.Handler) *front {
	t.Helper()
	f := &front{handler: handler}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, describeRequest(q))
		meddle := f.meddle
		f.mu.Unlock()
		if meddle == nil || !meddle(w, q) {
			f.handler.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(server.Close)
	f.addr = strings.TrimPrefix(server.URL, "http://")
	return f
}

// complete does what q asks for, and keeps the answer.
func (f *front) complete(q *http.Request) { f.handler.ServeHTTP(httptest.NewRecorder(), q) }

// hang takes what is sent and does not answer.
func hang(q *http.Request) {
	_, _ = io.Copy(io.Discard, q.Body)
	<-q.Context().Done()
}

// describeRequest returns the method and what tells one kind of request from another.
func describeRequest(q *http.Request) string {
	s := q.Method + " " + q.URL.Path
	for _, key := range []string{"uploads", "partNumber", "uploadId", "list-type", "prefix"} {
		if q.URL.Query().Has(key) {
			s += " " + key
		}
	}
	if q.Header.Get("X-Amz-Copy-Source") != "" {
		s += " copy"
	}
	return s
}

// take returns the requests since the last call.
func (f *front) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	requests := f.requests
	f.requests = nil
	return requests
}

func (f *front) setMeddle(m func(w http.ResponseWriter, q *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meddle = m
}

// uploads returns how many multipart uploads there are.
func uploads(t *testing.T, r *Remote) int {
	t.Helper()
	all, err := r.once.ListMultipartUploads(context.WithoutCancel(t.Context()), testBucket, "", "", "", "", 100)
	if err != nil && !isCode(err, "NoSuchUpload") { // so says the fake for none at all
		t.Fatal(err)
	}
	return len(all.Uploads)
}

var prefixes atomic.Int64

// nextPrefix returns the path of a directory that nobody has used.
func nextPrefix() string { return fmt.Sprintf("%s/test-%d", testBucket, prefixes.Add(1)) }

var errBody = errors.New("the body failed")
