package webdav_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

// owncloud gives the handler below it what Nextcloud and ownCloud do beside the standard: PUT with
// a modification time, PROPPATCH of it, and a PUT that publishes all or nothing.
func owncloud(dir string) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			name := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(req.URL.Path, "/dav")))
			switch req.Method {
			case http.MethodPut:
				putWhole(w, req, name)
			case "PROPPATCH":
				body, _ := io.ReadAll(req.Body)
				_, after, _ := strings.Cut(string(body), "<d:lastmodified>")
				digits, _, _ := strings.Cut(after, "<")
				if !touch(name, digits) {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				w.WriteHeader(http.StatusMultiStatus)
				fmt.Fprintf(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>%s</d:href><d:propstat><d:prop><d:lastmodified/></d:prop>`+
					`<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, req.URL.EscapedPath())
			default:
				next.ServeHTTP(w, req)
			}
		})
	}
}

// putWhole stores the body beside its name and renames it.
func putWhole(w http.ResponseWriter, req *http.Request, name string) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		w.WriteHeader(http.StatusConflict)
		return
	}
	f, err := os.CreateTemp(filepath.Dir(filepath.Dir(name)), "put") // outside of what is listed
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		return
	}
	_, err = io.Copy(f, req.Body)
	f.Close()
	if err == nil {
		err = os.Chtimes(f.Name(), time.Time{}, time.Now())
		if touch(f.Name(), req.Header.Get("X-OC-Mtime")) {
			w.Header().Set("X-OC-Mtime", "accepted")
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		w.WriteHeader(http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func touch(name, seconds string) bool {
	n, err := strconv.ParseInt(seconds, 10, 64)
	return err == nil && os.Chtimes(name, time.Time{}, time.Unix(n, 0)) == nil
}

// nextcloud serves the directory files/me of dir as Nextcloud does, chunks included.
func nextcloud(t *testing.T, dir string) string {
	t.Helper()
	for _, sub := range []string{"files/me", "uploads/me"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, exactTimes{dav.Dir(dir)}, func(next http.Handler) http.Handler {
		h := http.StripPrefix("/remote.php", owncloud(dir)(next))
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			chunks, isChunks := strings.CutPrefix(req.URL.Path, "/remote.php/dav/uploads/")
			if !isChunks || req.Method != "MOVE" {
				// The handler takes destinations as it takes paths.
				req.Header.Set("Destination", strings.Replace(req.Header.Get("Destination"), "/remote.php/", "/", 1))
				h.ServeHTTP(w, req)
				return
			}
			assemble(w, req, dir, filepath.Join(dir, "uploads", filepath.Dir(filepath.FromSlash(chunks))))
		})
	})
	return s.URL + "/remote.php/dav/files/me"
}

// assemble makes a file of the chunks in a directory, which goes with it.
func assemble(w http.ResponseWriter, req *http.Request, root, chunks string) {
	entries, err := os.ReadDir(chunks)
	var whole []byte
	for _, e := range entries {
		b, readErr := os.ReadFile(filepath.Join(chunks, e.Name()))
		whole, err = append(whole, b...), errors.Join(err, readErr)
	}
	to, parseErr := url.Parse(req.Header.Get("Destination"))
	if err = errors.Join(err, parseErr); err != nil || strconv.Itoa(len(whole)) != req.Header.Get("OC-Total-Length") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	again := httptest.NewRequest(http.MethodPut, "/", bytes.NewReader(whole))
	again.Header = req.Header
	putWhole(w, again, filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(to.Path, "/remote.php/dav"))))
	os.RemoveAll(chunks)
}

func TestNextcloudInChunks(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		dir := t.TempDir()
		r := open(t, webdav.Options{URL: nextcloud(t, dir), Vendor: "nextcloud", ChunkSize: 20_000})
		t.Cleanup(func() { leftovers(t, dav.Dir(filepath.Join(dir, "uploads", "me"))) })
		return r
	})
}

func TestChunksStayOutsideUntilTheyAreAFile(t *testing.T) {
	dir := t.TempDir()
	r := open(t, webdav.Options{URL: nextcloud(t, dir), Vendor: "nextcloud", ChunkSize: 1000})
	defer r.Close()
	content := strings.Repeat("0123456789", 1234)
	chunks := 0
	body := io.MultiReader(strings.NewReader(content), readFunc(func([]byte) (int, error) {
		found, err := filepath.Glob(filepath.Join(dir, "uploads", "me", "*", "0*"))
		if chunks = len(found); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}))
	when := time.Unix(1e9, 0)
	if _, err := r.Put(t.Context(), "f", body, remote.PutOptions{ModTime: when}); err != nil {
		t.Fatal(err)
	}
	if want := len(content) / 1000; chunks != want {
		t.Errorf("%d chunks were on the server before the last one, want %d", chunks, want)
	}
	b, err := os.ReadFile(filepath.Join(dir, "files", "me", "f"))
	if err != nil || string(b) != content {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if e, err := r.Stat(t.Context(), "f"); err != nil || !e.ModTime.Equal(when) {
		t.Errorf("%+v, %v", e, err)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestNextcloud(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		dir := filepath.Join(t.TempDir(), "files")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, dav.Dir(dir), owncloud(dir))
		return open(t, webdav.Options{URL: s.URL + "/dav", Vendor: "nextcloud"})
	})
}

// answer serves one multistatus answer, whatever is asked.
func answer(t *testing.T, body string) *webdav.Remote {
	t.Helper()
	s := newServer(t, nil, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			io.WriteString(w, body)
		})
	})
	r := open(t, webdav.Options{URL: s.URL + "/dav", Vendor: "owncloud", ExcludeShares: true, ExcludeMounts: true})
	t.Cleanup(func() { r.Close() })
	return r
}

// one is a response about href with properties.
func one(href, props string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop>` + props +
		`</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:getetag/></d:prop>` +
		`<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>`
}

const (
	multistatus = `<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">`
	collection  = `<d:resourcetype><d:collection/></d:resourcetype>`
	tail        = `</d:multistatus>`
)

func names(t *testing.T, r remote.Remote) (string, error) {
	t.Helper()
	var got []string
	for e, err := range r.List(t.Context(), ".") {
		if err != nil {
			return strings.Join(got, " "), err
		}
		name := e.Name
		if e.Dir {
			name += "/"
		}
		if e.ReadOnly {
			name += "!"
		}
		got = append(got, name)
	}
	return strings.Join(got, " "), nil
}

func TestListings(t *testing.T) {
	self := one("/dav/", collection)
	for what, c := range map[string]struct{ body, want string }{
		"nothing":             {self, ""},
		"itself at the end":   {one("/dav/f", "") + self, "f"},
		"whole addresses":     {one("http://proxy.example/dav/", collection) + one("http://proxy.example/dav/f", ""), "f"},
		"below another path":  {one("/inner/files/", collection) + one("/inner/files/f", "") + one("/inner/files/d/", collection), "f d/"},
		"escaped names":       {self + one("/dav/a%20b%26", "") + one("/dav/100%25", "") + one("/dav/a:b", ""), "a b& 100% a:b"},
		"names that are none": {self + one("/dav/a%2Fb", "") + one("/dav/%2E%2E", "") + one("/dav/x/y", "") + one("/dav/a%00", ""), ""},
		"hidden uploads":      {self + one("/dav/.ferry-upload-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "") + one("/dav/.ferry-upload-x", ""), ".ferry-upload-x"},
		"what is gone":        {self + `<d:response><d:href>/dav/f</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>` + one("/dav/g", ""), "g"},
		"other elements":      {self + `<x><y/></x>` + one("/dav/f", "") + `<d:sync-token>x</d:sync-token>`, "f"},
		"permissions": {self + one("/dav/rw", "<oc:permissions>RDNVW</oc:permissions>") + one("/dav/ro", "<oc:permissions>R</oc:permissions>") +
			one("/dav/d", collection+"<oc:permissions>RDNVCK</oc:permissions>") + one("/dav/rod", collection+"<oc:permissions>R</oc:permissions>"), "rw ro! d/ rod/!"},
		"shares and mounts": {self + one("/dav/s", "<oc:permissions>SRW</oc:permissions>") + one("/dav/m", "<oc:permissions>MRW</oc:permissions>"), ""},
	} {
		if got, err := names(t, answer(t, multistatus+c.body+tail)); got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", what, got, err, c.want)
		}
	}
}

func TestListingsThatBreakOff(t *testing.T) {
	whole := multistatus + one("/dav/", collection) + one("/dav/f", "")
	for what, body := range map[string]string{
		"nothing":                     "",
		"no end":                      whole,
		"in the middle of a response": whole + "<d:response><d:href>/dav",
		"an error behind it":          whole + tail + "Internal Server Error",
		"no XML":                      "It works!",
		"a web page":                  "<html><body>hello</body></html>",
		"no responses":                multistatus + tail,
		"another character set":       strings.Replace(whole+tail, "utf-8", "utf-7", 1),
	} {
		if got, err := names(t, answer(t, body)); err == nil || errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}

func TestListingAFileByItsOwnResponse(t *testing.T) {
	if _, err := names(t, answer(t, multistatus+one("/dav/", "")+tail)); !errors.Is(err, remote.ErrNotDir) {
		t.Errorf("%v", err)
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, s := range []string{"Fri, 02 Jan 2026 03:04:05 GMT", "Friday, 02-Jan-26 03:04:05 GMT", "2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 04:04:05 +0100"} {
		e, err := answer(t, multistatus+one("/dav/f", "<d:getlastmodified>"+s+"</d:getlastmodified>")+tail).Stat(t.Context(), "f")
		if err != nil || !e.ModTime.Equal(want) {
			t.Errorf("%s: %v, %v", s, e.ModTime, err)
		}
	}
	e, err := answer(t, multistatus+one("/dav/f", "<d:getlastmodified>yesterday</d:getlastmodified>")+tail).Stat(t.Context(), "f")
	if err != nil || !e.ModTime.IsZero() || e.Size != -1 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestQuota(t *testing.T) {
	for props, want := range map[string]remote.Usage{
		"<d:quota-available-bytes>70</d:quota-available-bytes><d:quota-used-bytes>30</d:quota-used-bytes>": {Total: 100, Used: 30, Free: 70},
		"<d:quota-available-bytes>-3</d:quota-available-bytes><d:quota-used-bytes>30</d:quota-used-bytes>": {Total: -1, Used: 30, Free: -1},
		"<d:quota-available-bytes>70</d:quota-available-bytes>":                                            {Total: -1, Used: -1, Free: 70},
	} {
		got, err := answer(t, multistatus+one("/dav/", props)+tail).Usage(t.Context())
		if got != want || err != nil {
			t.Errorf("%s: %+v, %v", props, got, err)
		}
	}
	if _, err := answer(t, multistatus+one("/dav/", "")+tail).Usage(t.Context()); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("without quotas: %v", err)
	}
}

func TestChecksumsOfOwncloud(t *testing.T) {
	r := answer(t, multistatus+one("/dav/f", "<oc:checksums><oc:checksum>SHA1:0a0b MD5:0c ADLER32:0d</oc:checksum></oc:checksums>")+tail)
	for algorithm, want := range map[string]string{"sha1": "0a0b", "md5": "0c"} {
		if sum, err := r.Hash(t.Context(), "f", algorithm); hex.EncodeToString(sum) != want || err != nil {
			t.Errorf("%s: %x, %v", algorithm, sum, err)
		}
	}
	if _, err := r.Hash(t.Context(), "f", "sha256"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("sha256: %v", err)
	}
}

func TestAStoredFileOfTheWrongLengthIsNotPublished(t *testing.T) {
	dir := t.TempDir()
	s := newServer(t, dav.Dir(dir), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.ContentLength < 0 { // as gateways do that cannot pass a body of unknown length on
				_, _ = io.Copy(io.Discard, req.Body)
				req.Body = http.NoBody
			}
			next.ServeHTTP(w, req)
		})
	})
	r := open(t, webdav.Options{URL: s.URL + "/dav", Vendor: "nextcloud"})
	defer r.Close()
	if _, err := r.Put(t.Context(), "f", strings.NewReader("old"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := r.Put(t.Context(), "f", io.LimitReader(zeros{}, 1<<20), remote.PutOptions{})
	if err == nil || !strings.Contains(err.Error(), "stored 0 bytes of 1048576") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "f")); string(b) != "old" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	leftovers(t, dav.Dir(dir), "f")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestRequests counts what the common calls cost: each is a round trip.
func TestRequests(t *testing.T) {
	var n atomic.Int32
	s := newServer(t, dav.Dir(t.TempDir()), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			n.Add(1)
			next.ServeHTTP(w, req)
		})
	})
	put := func(r *webdav.Remote, name string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := r.Put(ctx, name, strings.NewReader("x"), remote.PutOptions{})
			return err
		}
	}
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	defer r.Close()
	direct := open(t, webdav.Options{URL: s.URL + "/dav", AtomicPut: new(true)})
	defer direct.Close()
	for _, c := range []struct {
		what string
		want int32
		call func(ctx context.Context) error
	}{
		{"a new file", 2, put(r, "f")},
		{"a file replaced", 4, put(r, "f")},
		{"a new file directly", 1, put(direct, "g")},
		{"a file replaced directly", 1, put(direct, "g")},
		{"stat", 1, func(ctx context.Context) error { _, err := r.Stat(ctx, "f"); return err }},
		{"move", 2, func(ctx context.Context) error { return r.Move(ctx, "f", "h") }},
		{"remove", 2, func(ctx context.Context) error { return r.Remove(ctx, "h") }},
		{"mkdir", 1, func(ctx context.Context) error { return r.Mkdir(ctx, "d") }},
		{"rmdir", 2, func(ctx context.Context) error { return r.Rmdir(ctx, "d") }},
	} {
		n.Store(0)
		if err := c.call(t.Context()); err != nil || n.Load() != c.want {
			t.Errorf("%s: %d requests, want %d; %v", c.what, n.Load(), c.want, err)
		}
	}
}

func TestAListingIsReadAsItComes(t *testing.T) {
	const many = 20_000
	seen := make(chan struct{})
	s := newServer(t, nil, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			io.WriteString(w, multistatus+one("/dav/", collection))
			for i := range many {
				io.WriteString(w, one(fmt.Sprintf("/dav/%05d", i), "<d:getcontentlength>1</d:getcontentlength>"))
				if i == 100 {
					w.(http.Flusher).Flush()
					select {
					case <-seen: // the rest is not sent before the first was taken
					case <-req.Context().Done():
					}
				}
			}
			io.WriteString(w, tail)
		})
	})
	r := open(t, webdav.Options{URL: s.URL + "/dav"})
	defer r.Close()
	n := 0
	for e, err := range r.List(t.Context(), ".") {
		if err != nil || e.Name != fmt.Sprintf("%05d", n) || e.Size != 1 {
			t.Fatalf("entry %d: %+v, %v", n, e, err)
		}
		if n++; n == 1 {
			close(seen)
		}
	}
	if n != many {
		t.Errorf("%d entries", n)
	}
}
