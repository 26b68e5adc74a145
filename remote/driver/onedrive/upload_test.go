package onedrive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/graphserver"
)

// when is a time that is not now.
var when = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// openDrive opens a drive of a kind, reached at addr, with other options.
func openDrive(t *testing.T, s *graphserver.Server, addr, kind string, o onedrive.Options) (*onedrive.Remote, string) {
	t.Helper()
	o.DriveID, o.DriveType = s.NewDrive(kind), kind
	r := open(t, addr, o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, o.DriveID
}

func get(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{ModTime: when}); err != nil {
		t.Fatal(err)
	}
}

// long is a content of so many bytes that shows where a piece of it belongs.
func long(n int) string {
	b := make([]byte, 0, n+20)
	for i := 0; len(b) < n; i++ {
		b = append(strconv.AppendInt(b, int64(i), 10), ',')
	}
	return string(b[:n])
}

// The double refuses fragments that are no multiples, a token where none belongs, and totals that
// change.
func TestUploadsOfAllLengths(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	const unit = onedrive.ChunkUnit
	for kind, lengths := range map[string][]int{
		graphserver.Personal: {0, 1, unit + 1},
		graphserver.Business: {0, unit - 1, unit, unit + 1, 3*unit + 12345, 4<<20 + 1},
	} {
		r, drive := openDrive(t, s, s.Addr, kind, onedrive.Options{ChunkSize: unit})
		for _, n := range lengths {
			for what, o := range map[string]remote.PutOptions{
				"known": {Size: int64(n)}, "known, with a time": {Size: int64(n), ModTime: when},
				"unknown": {}, "unknown, with a time": {ModTime: when},
			} {
				content := long(n)
				e, err := r.Put(t.Context(), "f", struct{ io.Reader }{strings.NewReader(content)}, o)
				if err != nil {
					t.Fatalf("%s: %d bytes, %s: %v", kind, n, what, err)
				}
				if get(t, r, "f") != content || !o.ModTime.IsZero() && !e.ModTime.Equal(when) {
					t.Errorf("%s: %d bytes, %s: %+v", kind, n, what, e)
				}
			}
		}
		if n := s.Sessions(); n != 0 {
			t.Errorf("%s: %d sessions are left", kind, n)
		}
		if names := s.Names(drive, ""); names != "f" {
			t.Errorf("%s: there is %q", kind, names)
		}
	}
}

// A time that goes with the content makes no version of its own.
func TestTimesAndVersions(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	for what, c := range map[string]struct {
		o        onedrive.Options
		versions int
	}{
		"by a session":       {onedrive.Options{}, 2},
		"by a second step":   {onedrive.Options{UploadCutoff: 1 << 20}, 4},
		"removed afterwards": {onedrive.Options{UploadCutoff: 1 << 20, NoVersions: true}, 1},
	} {
		r, drive := openDrive(t, s, s.Addr, graphserver.Business, c.o)
		put(t, r, "f", "old")
		put(t, r, "f", "new")
		e, err := r.Stat(t.Context(), "f")
		if err != nil || !e.ModTime.Equal(when) || get(t, r, "f") != "new" {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
		if n := s.Versions(drive, "f"); n != c.versions {
			t.Errorf("%s: there are %d versions, want %d", what, n, c.versions)
		}
	}
}

// counting returns a context under which doubts are counted.
func counting(ctx context.Context) (context.Context, *atomic.Int64) {
	doubts := new(atomic.Int64)
	return remote.WithUnanswered(ctx, func() { doubts.Add(1) }), doubts
}

func TestLostAnswersOfASession(t *testing.T) {
	t.Parallel()
	const chunk = 4 * onedrive.ChunkUnit
	dropped := badnet.Fate{Answer: badnet.Dropped}
	for what, c := range map[string]struct {
		method, path string
		skip, times  int
		fate         badnet.Fate
		done         bool
		doubts       int64
	}{
		"of a fragment":                        {"PUT", "/up/", 1, 1, dropped, true, 0},
		"of a fragment, from a gateway":        {"PUT", "/up/", 1, 1, badnet.Fate{Answer: badnet.Dropped, Status: 502}, true, 0},
		"of a fragment that was lost":          {"PUT", "/up/", 1, 1, badnet.Fate{Lost: true, Answer: badnet.Ahead}, true, 0},
		"of the last fragment":                 {"PUT", "/up/", 3, 1, dropped, true, 0},
		"of the last fragment, by a gateway":   {"PUT", "/up/", 3, 1, badnet.Fate{Answer: badnet.Dropped, Status: 504}, true, 0},
		"of the last fragment, which was lost": {"PUT", "/up/", 3, 1, badnet.Fate{Lost: true, Answer: badnet.Ahead}, true, 0},
		"of all that come last":                {"PUT", "/up/", 3, -1, badnet.Fate{Lost: true, Answer: badnet.Ahead}, false, 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := graphserver.Start(t)
			n := badnet.Start(t, s.Addr)
			var o onedrive.Options
			o.Network.Attempts = 3
			r, _ := openDrive(t, s, n.Addr, graphserver.Business, o)
			put(t, r, "f", "old")
			s.Requests()
			n.Add(badnet.Rule{Method: c.method, Path: c.path, Skip: c.skip, Times: c.times, Fate: c.fate})
			content := long(3*chunk + 1000)
			ctx, doubts := counting(t.Context())
			_, err := r.Put(ctx, "f", struct{ io.Reader }{strings.NewReader(content)}, remote.PutOptions{Size: int64(len(content)), ModTime: when})
			if (err == nil) != c.done || doubts.Load() != c.doubts || err != nil && remote.Permanent(err) {
				t.Errorf("%v, reported %d times\n%s", err, doubts.Load(), n.History())
			}
			n.Heal()
			if want := map[bool]string{true: content, false: "old"}[c.done]; get(t, r, "f") != want {
				t.Errorf("another content is there\n%s", n.History())
			}
			if left := s.Sessions(); left != 0 {
				t.Errorf("%d sessions are left\n%s", left, n.History())
			}
		})
	}
}

// expiring is a body during which the sessions end.
type expiring struct {
	io.Reader
	s  *graphserver.Server
	at int
	n  int
}

func (e *expiring) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if before := e.n; before < e.at && before+n >= e.at {
		e.s.ExpireSessions()
	}
	e.n += n
	return n, err
}

func TestSessionsThatExpire(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	put(t, r, "f", "old")
	content := long(10 << 20)
	body := &expiring{Reader: strings.NewReader(content), s: s, at: 5 << 20}
	_, err := r.Put(t.Context(), "f", body, remote.PutOptions{Size: int64(len(content))})
	if err == nil || remote.Permanent(err) || get(t, r, "f") != "old" {
		t.Errorf("a body that cannot be read again: %v", err)
	}
	// One of unknown length has been collected, and is sent once more: what ends is its session.
	n := badnet.Start(t, s.Addr)
	r, _ = openDrive(t, s, n.Addr, graphserver.Business, onedrive.Options{})
	gone := make(chan struct{})
	n.Add(badnet.Rule{Method: http.MethodPut, Path: "/up/", Skip: 3, Times: 1, Fate: badnet.Fate{Until: gone}})
	done := make(chan error, 1)
	go func() {
		_, err := r.Put(t.Context(), "f", struct{ io.Reader }{strings.NewReader(content)}, remote.PutOptions{})
		done <- err
	}()
	for s.Sessions() == 0 || n.Underway() == 0 || strings.Count(n.History(), "/up/") < 4 {
		time.Sleep(time.Millisecond)
	}
	s.ExpireSessions()
	close(gone)
	if err := <-done; err != nil || get(t, r, "f") != content {
		t.Errorf("%v\n%s", err, n.History())
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Personal, onedrive.Options{})
	put(t, r, "f", "old")
	s.Lock(drive, "f", true)
	for _, n := range []int{10, 5 << 20} {
		_, err := r.Put(t.Context(), "f", strings.NewReader(long(n)), remote.PutOptions{})
		if err == nil || remote.Permanent(err) || !strings.Contains(err.Error(), "another program has it open") {
			t.Errorf("locked: %v", err)
		}
	}
	s.Lock(drive, "f", false)
	s.SetQuota(drive, 1<<20)
	for _, n := range []int{2 << 20, 5 << 20} {
		_, err := r.Put(t.Context(), "f", strings.NewReader(long(n)), remote.PutOptions{Size: int64(n)})
		if !errors.Is(err, remote.ErrNoSpace) {
			t.Errorf("full: %v", err)
		}
	}
	if got := get(t, r, "f"); got != "old" || s.Sessions() != 0 {
		t.Errorf("there is %q, and %d sessions", got, s.Sessions())
	}
}

// What is stored is compared with what was sent. A library of SharePoint may change documents.
func TestAnotherContentIsStored(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	sum := regexp.MustCompile(`"quickXorHash":"[^"]*"`)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.Addr})
	proxy.ModifyResponse = func(answer *http.Response) error {
		if answer.Request.Method == http.MethodPut {
			b, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			b = sum.ReplaceAll(b, []byte(`"quickXorHash":"AAAAAAAAAAAAAAAAAAAAAAAAAAA="`))
			answer.Body = io.NopCloser(bytes.NewReader(b))
		}
		return nil
	}
	web := httptest.NewServer(proxy)
	t.Cleanup(web.Close)
	addr := strings.TrimPrefix(web.URL, "http://")
	for _, c := range []struct {
		kind   string
		o      onedrive.Options
		stored bool
	}{
		{graphserver.Personal, onedrive.Options{}, false},
		{graphserver.Business, onedrive.Options{}, false},
		{graphserver.Business, onedrive.Options{NoHash: true}, true},
		{graphserver.DocumentLibrary, onedrive.Options{}, true},
	} {
		r, _ := openDrive(t, s, addr, c.kind, c.o)
		for _, o := range []remote.PutOptions{{}, {ModTime: when}} {
			_, err := r.Put(t.Context(), "f", strings.NewReader("content"), o)
			if (err == nil) != c.stored || err != nil && remote.Permanent(err) {
				t.Errorf("%s, %+v: %v", c.kind, c.o.NoHash, err)
			}
		}
	}
}

func TestContentsThatAreNotWhatIsThere(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	put(t, r, "f", "content")
	s.Tamper(drive, "f", "CONTENT")
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(f)
	f.Close()
	if !errors.Is(err, remote.ErrDigest) {
		t.Errorf("%v", err)
	}
	f, err = r.Open(t.Context(), "f", 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if e, known := remote.Describe(f); !known || e.Size != 7 || e.Version == "" {
		t.Errorf("%+v, %v", e, known)
	}
	s.WithoutTags()
	untold, err := r.Open(t.Context(), "f", 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer untold.Close()
	if _, known := remote.Describe(untold); known {
		t.Error("a content without a tag is taken for that of the entry")
	}
}

// Nothing of an upload whose length nobody knew stays on the local disk.
func TestTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	for _, failing := range []error{nil, errors.New("the body failed")} {
		body := io.MultiReader(strings.NewReader(long(6<<20)), readFunc(func([]byte) (int, error) {
			if failing != nil {
				return 0, failing
			}
			return 0, io.EOF
		}))
		if _, err := r.Put(t.Context(), "f", body, remote.PutOptions{}); !errors.Is(err, failing) {
			t.Errorf("%v", err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
