package httpclient

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

// serve runs h and returns a client of it.
func serve(t *testing.T, o Options, h http.HandlerFunc) (*Client, *url.URL) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return clientOf(t, s.URL, o)
}

func clientOf(t *testing.T, address string, o Options) (*Client, *url.URL) {
	t.Helper()
	base, _, _, err := ParseBase(address, "")
	if err != nil {
		t.Fatal(err)
	}
	c := New(base, o)
	t.Cleanup(c.Close)
	return c, base
}

// get returns the status of a GET.
func get(t *testing.T, c *Client, u *url.URL) int {
	t.Helper()
	resp, err := c.Do(c.Request(t.Context(), http.MethodGet, u, nil))
	if err != nil {
		t.Fatal(err)
	}
	Drain(resp)
	return resp.StatusCode
}

// checkDigest is the server's side of RFC 7616.
func checkDigest(req *http.Request, newHash func() hash.Hash, nonce, user, pass string) bool {
	list := parseChallenges(req.Header.Get("Authorization"))
	if len(list) != 1 || list[0].scheme != "Digest" {
		return false
	}
	p := list[0].params
	sum := func(parts ...string) string {
		h := newHash()
		io.WriteString(h, strings.Join(parts, ":"))
		return hex.EncodeToString(h.Sum(nil))
	}
	want := sum(sum(user, "files", pass), nonce, p["nc"], p["cnonce"], "auth", sum(req.Method, req.RequestURI))
	return p["nonce"] == nonce && p["username"] == user && p["uri"] == req.RequestURI && p["response"] == want
}

func TestDigest(t *testing.T) {
	for algorithm, newHash := range map[string]func() hash.Hash{"MD5": md5.New, "SHA-256": sha256.New} {
		t.Run(algorithm, func(t *testing.T) {
			var requests, nonces atomic.Int32
			nonces.Store(1)
			c, base := serve(t, Options{User: "me", Pass: "hunter2"}, func(w http.ResponseWriter, req *http.Request) {
				requests.Add(1)
				if strings.Contains(req.Header.Get("Authorization"), "Basic") {
					t.Error("the password was sent")
				}
				nonce := fmt.Sprint("nonce", nonces.Load())
				if checkDigest(req, newHash, nonce, "me", "hunter2") {
					return
				}
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="files", nonce="%s", qop="auth", algorithm=%s, stale=true`, nonce, algorithm))
				w.Header().Add("WWW-Authenticate", `Basic realm="files"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
			for _, path := range []string{"a b", "c"} {
				if code := get(t, c, Below(base, path, false)); code != http.StatusOK {
					t.Errorf("%s: %d", path, code)
				}
			}
			if n := requests.Load(); n != 3 {
				t.Errorf("%d requests, want one that is refused and two more", n)
			}
			nonces.Add(1)
			if code := get(t, c, base); code != http.StatusOK {
				t.Errorf("after a new nonce: %d", code)
			}
		})
	}
}

func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	for _, challenge := range []string{`Basic realm="r"`, `Digest realm="r", nonce="n", qop="auth"`} {
		var requests atomic.Int32
		c, base := serve(t, Options{User: "me", Pass: "hunter2"}, func(w http.ResponseWriter, req *http.Request) {
			requests.Add(1)
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		})
		if code := get(t, c, base); code != http.StatusUnauthorized || requests.Load() != 2 {
			t.Errorf("%s: %d after %d requests", challenge, code, requests.Load())
		}
	}
}

func TestThePasswordGoesOutUnaskedOverTLSOnly(t *testing.T) {
	var first atomic.Value
	h := func(w http.ResponseWriter, req *http.Request) {
		first.CompareAndSwap(nil, req.Header.Get("Authorization"))
		if _, _, ok := req.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	c, base := serve(t, Options{User: "me", Pass: "hunter2"}, h)
	if code := get(t, c, base); code != http.StatusOK || first.Load() != "" {
		t.Errorf("in clear: %d, first %q", code, first.Load())
	}
	first = atomic.Value{}
	s := httptest.NewTLSServer(http.HandlerFunc(h))
	t.Cleanup(s.Close)
	c, base = clientOf(t, s.URL, Options{User: "me", Pass: "hunter2", Network: network.Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig}})
	if code := get(t, c, base); code != http.StatusOK || first.Load() != "Basic bWU6aHVudGVyMg==" {
		t.Errorf("over TLS: %d, first %q", code, first.Load())
	}
}

func TestTokens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is a shell script")
	}
	count := filepath.Join(t.TempDir(), "count")
	command := []string{"/bin/sh", "-c", `echo x >> "$1"; echo "token$(wc -l < "$1" | tr -d ' ')"`, "sh", count}
	for want, o := range map[string]Options{"Bearer fixed": {Token: "fixed"}, "Bearer token2": {TokenCommand: command}} {
		c, base := serve(t, o, func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Authorization") != want {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		for range 2 {
			if code := get(t, c, base); code != http.StatusOK {
				t.Errorf("%s: %d", want, code)
			}
		}
	}
	if b, err := os.ReadFile(count); err != nil || string(b) != "x\nx\n" {
		t.Errorf("the command ran as %q, %v", b, err)
	}
	for _, command := range []string{"exit 1", "echo", "echo a; echo b"} {
		c, base := serve(t, Options{TokenCommand: []string{"/bin/sh", "-c", command}}, func(http.ResponseWriter, *http.Request) {
			t.Error("a request came")
		})
		_, err := c.Do(c.Request(t.Context(), http.MethodGet, base, nil))
		if err == nil || !strings.Contains(err.Error(), "bearer_token_command") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

func TestABodyIsSentAgainUntilItWasRead(t *testing.T) {
	h := func(w http.ResponseWriter, req *http.Request) {
		if _, _, ok := req.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		b, err := io.ReadAll(req.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		w.Write(b)
	}
	for _, expect := range []string{"", "100-continue"} {
		c, base := serve(t, Options{User: "me", Pass: "p"}, h)
		content := strings.Repeat("x", 1<<20)
		body := NewBody(iotest.HalfReader(strings.NewReader(content)), 0)
		req := c.Request(t.Context(), http.MethodPut, base, body)
		if expect != "" {
			req.Header.Set("Expect", expect)
		}
		resp, err := c.Do(req)
		if err != nil {
			if expect != "" {
				t.Error(err)
			}
			continue
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if expect == "" && resp.StatusCode != http.StatusUnauthorized || expect != "" && (string(got) != content || err != nil) {
			t.Errorf("expect %q: %d with %d bytes, %v", expect, resp.StatusCode, len(got), err)
		}
		if n, err := body.End(); expect != "" && (n != int64(len(content)) || err != nil) {
			t.Errorf("%d bytes were read, %v", n, err)
		}
	}
}

func TestABodyOfTheWrongLengthIsNeverComplete(t *testing.T) {
	failing := errors.New("failing")
	for _, c := range []struct {
		body io.Reader
		size int64
		want error
	}{
		{strings.NewReader("abc"), 4, remote.ErrSize},
		{strings.NewReader("abcde"), 4, remote.ErrSize},
		{iotest.OneByteReader(strings.NewReader("abcde")), 4, remote.ErrSize},
		{io.MultiReader(strings.NewReader("abcd"), iotest.ErrReader(failing)), 4, failing},
		{io.MultiReader(strings.NewReader("abcd"), iotest.ErrReader(failing)), 0, failing},
	} {
		var complete atomic.Bool
		client, base := serve(t, Options{}, func(w http.ResponseWriter, req *http.Request) {
			if _, err := io.ReadAll(req.Body); err == nil {
				complete.Store(true)
			}
		})
		body := NewBody(c.body, c.size)
		resp, err := client.Do(client.Request(t.Context(), http.MethodPut, base, body))
		if err == nil {
			Drain(resp)
		}
		if _, err := body.End(); !errors.Is(err, c.want) || complete.Load() {
			t.Errorf("%v; the server got it: %v", err, complete.Load())
		}
		if _, err := body.Read(make([]byte, 1)); err == nil {
			t.Error("the body can be read after its end")
		}
	}
}

func TestRedirectsKeepSecretsAtHome(t *testing.T) {
	var foreign atomic.Value
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		foreign.Store(req.Header.Get("Authorization") + "," + req.Header.Get("X-Key") + "," + req.Header.Get("Range"))
	}))
	t.Cleanup(other.Close)
	for _, keep := range []bool{false, true} {
		c, base := serve(t, Options{Token: "secret", Header: http.Header{"X-Key": {"key"}}, KeepAuth: keep, Redirects: []string{"*"}}, func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Authorization") != "Bearer secret" || req.Header.Get("X-Key") != "key" {
				t.Errorf("%s comes with %v", req.URL, req.Header)
			}
			if req.URL.Path == "/f" {
				http.Redirect(w, req, "/g?x", http.StatusFound)
				return
			}
			http.Redirect(w, req, other.URL+"/there?signature=x", http.StatusTemporaryRedirect)
		})
		f, err := c.Open(t.Context(), Below(base, "f", false), 2, -1)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		want := ",,bytes=2-"
		if keep {
			want = "Bearer secret,key,bytes=2-"
		}
		if got := foreign.Load(); got != want {
			t.Errorf("keep %v: %q", keep, got)
		}
	}
}

// Redirections lead to the scheme and the name of the server, unless somebody has said more.
func TestRedirectsStayAtHome(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	_, port, _ := net.SplitHostPort(other.Listener.Addr().String())
	elsewhere := "http://localhost:" + port + "/f" // the server is 127.0.0.1
	for _, c := range []struct {
		to      string
		o       Options
		follows bool
	}{
		{elsewhere, Options{}, false},
		{elsewhere, Options{Redirects: []string{"example.com"}}, false},
		{elsewhere, Options{Redirects: []string{"LocalHost"}}, true},
		{elsewhere, Options{Redirects: []string{"*"}}, true},
		{elsewhere, Options{KeepAuth: true}, true},
		{other.URL + "/f", Options{}, true}, // another port
		{"https://127.0.0.1:" + port + "/f", Options{}, false},
		{"https://127.0.0.1:" + port + "/f", Options{Redirects: []string{"*"}}, false},
		{"http://127.0.0.1.example.com/f", Options{}, false},
	} {
		before := asked.Load()
		client, base := serve(t, c.o, func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, c.to, http.StatusFound)
		})
		f, err := client.Open(t.Context(), Below(base, "f", false), 0, -1)
		if err == nil {
			f.Close()
		}
		if (err == nil) != c.follows || (asked.Load() > before) != c.follows {
			t.Errorf("%s with %+v: %v", c.to, c.o, err)
		}
		if !c.follows && (!remote.Permanent(err) || !strings.Contains(err.Error(), "option")) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for to, want := range map[string]string{
		"file:///etc/passwd": "scheme",
		"/f":                 "more than",
		"":                   "no address",
	} {
		c, base := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
			if to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(http.StatusFound)
		})
		if _, err := c.Open(t.Context(), Below(base, "f", false), 0, -1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", to, err)
		}
	}
	c, base := serve(t, Options{}, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, req.URL.Path+"/", http.StatusMovedPermanently)
	})
	var status *StatusError
	if _, err := c.Open(t.Context(), Below(base, "d", false), 0, -1); !errors.As(err, &status) || status.Code != http.StatusMovedPermanently {
		t.Errorf("a slash: %v", err)
	}
}

func TestErrorsNameTheHostAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	base, user, pass, err := ParseBase("http://me:hunter2@"+address+"/secret", "path")
	if err != nil || user != "me" || pass != "hunter2" {
		t.Fatal(user, pass, err)
	}
	c := New(base, Options{User: user, Pass: pass})
	_, err = c.Do(c.Request(t.Context(), http.MethodGet, base, nil))
	if err == nil || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if remote.Permanent(err) {
		t.Error("it is taken for an answer")
	}
}

func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	c, base := serve(t, Options{Network: network.Options{IdleTimeout: 50 * time.Millisecond}}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "abc")
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	f, err := c.Open(t.Context(), base, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var timeout net.Error
	if b, err := io.ReadAll(f); !errors.As(err, &timeout) || !timeout.Timeout() || string(b) != "abc" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestTheCauseOfACallThatEndsIsItsError(t *testing.T) {
	arrived := make(chan struct{})
	c, base := serve(t, Options{}, func(_ http.ResponseWriter, req *http.Request) {
		close(arrived)
		<-req.Context().Done()
	})
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-arrived
		cancel(cause)
	}()
	if _, err := c.Open(ctx, base, 0, -1); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("no unix sockets here:", err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	c, base := clientOf(t, "http://nowhere.invalid/", Options{UnixSocket: socket})
	if code := get(t, c, base); code != http.StatusOK {
		t.Error(code)
	}
}
