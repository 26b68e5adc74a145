package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/http"
	"ferry/remote/remotetest"
)

func open(t *testing.T, o http.Options) *http.Remote {
	t.Helper()
	r, err := http.New(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemote(t *testing.T) {
	for name, start := range pageServers() {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, http.Options{URL: s.url}) })
		})
	}
}

// names are what servers and drivers get wrong.
func names() []string {
	list := []string{
		"a.txt", "a b", "100%25.txt", "50%.txt", "a+b&c=d#e;f", "a?b", "a:b", "<i>", "Grüße.txt", "📷.jpg", `"a" 'b'`, "~", "[a]", "a!$(b),*@",
	}
	if runtime.GOOS == "windows" {
		return list[:3]
	}
	return list
}

func TestReading(t *testing.T) {
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	for server, start := range pageServers() {
		t.Run(server, func(t *testing.T) {
			s := start(t)
			for _, dir := range []string{"d", "d/empty", "d/a dir?"} {
				if err := os.Mkdir(filepath.Join(s.files, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for i, name := range names() {
				file := filepath.Join(s.files, "d", name)
				write(t, file, strings.Repeat("x", i))
				if err := os.Chtimes(file, when, when); err != nil {
					t.Fatal(err)
				}
			}
			write(t, filepath.Join(s.files, "digits"), "0123456789")
			r := open(t, http.Options{URL: s.url})
			defer r.Close()
			t.Run("List", func(t *testing.T) { lists(t, r, when) })
			t.Run("Stat", func(t *testing.T) { stats(t, r) })
			t.Run("Open", func(t *testing.T) { opens(t, r) })
		})
	}
}

// list returns the entries of dir by name.
func list(t *testing.T, r remote.Remote, dir string) map[string]remote.Entry {
	t.Helper()
	got := map[string]remote.Entry{}
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatalf("List(%q): %v", dir, err)
		}
		if _, twice := got[e.Name]; twice {
			t.Errorf("%q comes twice", e.Name)
		}
		got[e.Name] = e
	}
	return got
}

func lists(t *testing.T, r remote.Remote, when time.Time) {
	got := list(t, r, "d")
	want := append(names(), "empty", "a dir?")
	slices.Sort(want)
	if all := slices.Sorted(maps.Keys(got)); !slices.Equal(all, want) {
		t.Errorf("entries %q, want %q", all, want)
	}
	for i, name := range names() {
		e := got[name]
		if e.Dir || e.Size != int64(i) || !e.ModTime.Equal(when) {
			t.Errorf("%+v, want %d bytes of %v", e, i, when)
		}
		if s, err := r.Stat(t.Context(), "d/"+name); err != nil || s != e {
			t.Errorf("Stat says %+v, %v; List %+v", s, err, e)
		}
	}
	if !got["empty"].Dir || !got["a dir?"].Dir {
		t.Error("a directory is none")
	}
	if n := len(list(t, r, "d/empty")); n != 0 {
		t.Errorf("%d entries in an empty directory", n)
	}
	for dir, want := range map[string]error{"digits": remote.ErrNotDir, "none": remote.ErrNotExist, "digits/x": remote.ErrNotExist} {
		for _, err := range r.List(t.Context(), dir) {
			if !errors.Is(err, want) {
				t.Errorf("List(%q): %v", dir, err)
			}
		}
	}
	for range r.List(t.Context(), "d") {
		break // leaves nothing behind
	}
}

func stats(t *testing.T, r remote.Remote) {
	for name, dir := range map[string]bool{".": true, "d": true, "d/a dir?": true, "digits": false, "d/a.txt": false} {
		e, err := r.Stat(t.Context(), name)
		if _, base := remote.Split(name); err != nil || e.Dir != dir || e.Name != base {
			t.Errorf("Stat(%q) = %+v, %v", name, e, err)
		}
	}
	for _, name := range []string{"none", "none/none", "digits/none"} {
		if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("Stat(%q): %v", name, err)
		}
	}
}

func opens(t *testing.T, r remote.Remote) {
	for _, c := range []struct {
		off, n int64
		want   string
	}{{0, -1, "0123456789"}, {3, -1, "3456789"}, {3, 4, "3456"}, {3, 0, ""}, {8, 10, "89"}, {10, -1, ""}, {1000, 5, ""}} {
		f, err := r.Open(t.Context(), "digits", c.off, c.n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if string(b) != c.want || err != nil {
			t.Errorf("from %d %d bytes: %q, %v", c.off, c.n, b, err)
		}
		f.Close()
	}
	for name, want := range map[string]error{
		".": remote.ErrIsDir, "d": remote.ErrIsDir, "none": remote.ErrNotExist, "none/x": remote.ErrNotExist,
	} {
		if _, err := r.Open(t.Context(), name, 0, -1); !errors.Is(err, want) {
			t.Errorf("Open(%q): %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := r.Open(ctx, "digits", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	if _, err := io.ReadAll(f); !errors.Is(err, context.Canceled) {
		t.Errorf("reading after the end of the context: %v", err)
	}
}

// handle serves by h.
func handle(t *testing.T, h nethttp.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestNoHeadAsksForNothingButThePage(t *testing.T) {
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		if req.URL.Path != "/" || req.Method != nethttp.MethodGet {
			t.Errorf("%s %s", req.Method, req.URL)
		}
		fmt.Fprint(w, `<html><a href="f">f</a><a href="d/">d</a>`)
	})
	r := open(t, http.Options{URL: url, NoHead: true})
	defer r.Close()
	got := list(t, r, ".")
	if got["f"].Size != -1 || got["f"].Dir || !got["d"].Dir || len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestNoSlashTakesPagesForDirectories(t *testing.T) {
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		switch req.URL.Path {
		case "/":
			fmt.Fprint(w, `<html><a href="f">f</a><a href="d">d</a>`)
		case "/d", "/d/":
			fmt.Fprint(w, `<html>`)
		default:
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "x")
		}
	})
	r := open(t, http.Options{URL: url, NoSlash: true})
	defer r.Close()
	got := list(t, r, ".")
	if got["f"].Dir || got["f"].Size != 1 || !got["d"].Dir {
		t.Errorf("%+v", got)
	}
}

func TestNoEscapeSendsNamesAsTheyAreWritten(t *testing.T) {
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		if req.URL.Path == "/" {
			fmt.Fprint(w, `<html><a href="a%20b">f</a>`)
			return
		}
		fmt.Fprint(w, req.RequestURI)
	})
	r := open(t, http.Options{URL: url, NoEscape: true})
	defer r.Close()
	for name := range list(t, r, ".") {
		f, err := r.Open(t.Context(), name, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		f.Close()
		if name != "a%20b" || string(b) != "/a%20b" || err != nil {
			t.Errorf("%q gives %q, %v", name, b, err)
		}
	}
}

func TestHeadMayBeForbidden(t *testing.T) {
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		if req.Method == nethttp.MethodHead {
			w.WriteHeader(nethttp.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Length", "5")
		fmt.Fprint(w, "hello")
	})
	r := open(t, http.Options{URL: url})
	defer r.Close()
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != 5 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestAListingEndsWithTheErrorOfAFile(t *testing.T) {
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		switch req.URL.Path {
		case "/":
			fmt.Fprint(w, `<html><a href="a"></a><a href="gone"></a><a href="secret"></a><a href="broken"></a><a href="z"></a>`)
		case "/gone":
			w.WriteHeader(nethttp.StatusNotFound)
		case "/secret":
			w.WriteHeader(nethttp.StatusForbidden)
		case "/broken":
			w.WriteHeader(nethttp.StatusBadGateway)
		}
	})
	r := open(t, http.Options{URL: url})
	defer r.Close()
	var got []string
	var last error
	for e, err := range r.List(t.Context(), ".") {
		last = err
		if err == nil {
			got = append(got, e.Name)
		}
	}
	if strings.Join(got, " ") != "a secret" || last == nil || errors.Is(last, remote.ErrNotExist) {
		t.Errorf("%q, %v", got, last)
	}
}

func TestOptions(t *testing.T) {
	for url, want := range map[string]string{
		"":                            "is empty",
		"ftp://host":                  "neither http:// nor https://",
		"http://":                     "names no host",
		"http://user:hunter2@h/?x=y":  "query",
		"http://user:hunter2@h:x/":    "not an address",
		"http://user:hunter2@h/%zz":   "not an address",
		"http://user:hunter2@[::1/":   "not an address",
		"https://user:hun\x00ter2@h/": "not an address",
	} {
		_, err := http.New(t.Context(), "", http.Options{URL: url})
		if err == nil || !strings.HasPrefix(err.Error(), "http: option url ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", url, err)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
	}
}

func TestTheNameHidesThePassword(t *testing.T) {
	r := open(t, http.Options{URL: "https://me:hunter2@example.com/pub"})
	defer r.Close()
	if got := r.Info().Name; got != "https:example.com/pub/" {
		t.Error(got)
	}
}

func TestAPageIsReadAsItComes(t *testing.T) {
	const many = 20_000
	seen := make(chan struct{})
	url := handle(t, func(w nethttp.ResponseWriter, req *nethttp.Request) {
		fmt.Fprint(w, "<html><body>")
		for i := range many {
			fmt.Fprintf(w, `<a href="%05d">x</a>`, i)
			if i == 1000 {
				w.(nethttp.Flusher).Flush()
				select {
				case <-seen: // the rest is not sent before the first was taken
				case <-req.Context().Done():
				}
			}
		}
	})
	r := open(t, http.Options{URL: url, NoHead: true})
	defer r.Close()
	n := 0
	for e, err := range r.List(t.Context(), ".") {
		if err != nil || e.Name != fmt.Sprintf("%05d", n) {
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
