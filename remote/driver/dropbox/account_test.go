package dropbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/dropbox"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/dropboxserver"
)

// openOn opens the root of a double.
func openOn(t *testing.T, s *dropboxserver.Server, path string, change ...func(*dropbox.Options)) *dropbox.Remote {
	t.Helper()
	o := options(s.Addr)
	for _, c := range change {
		c(&o)
	}
	r := open(t, path, o)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func put(t *testing.T, r remote.Remote, name, content string) remote.Entry {
	t.Helper()
	e, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{})
	if err != nil {
		t.Fatalf("Put(%q): %v", name, err)
	}
	return e
}

// TestUploadsAreCommittedTogether holds the first commit, so that the others wait for it.
func TestUploadsAreCommittedTogether(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	n := badnet.Start(t, s.Addr)
	r := open(t, "", options(n.Addr))
	t.Cleanup(func() { _ = r.Close() })
	answer := make(chan struct{})
	n.Add(badnet.Rule{Method: "POST", Path: "/2/files/upload_session/finish_batch_v2", Times: 1, Fate: badnet.Fate{Until: answer}})
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() { put(t, r, fmt.Sprintf("f%d", i), fmt.Sprint("content ", i)) })
	}
	for s.Asked("files/upload_session/finish_batch_v2") == 0 { // that of those which waited for the first one
		time.Sleep(10 * time.Millisecond)
	}
	close(answer)
	all.Wait()
	if b := s.Batches(); slices.Max(b) < 10 {
		t.Errorf("of 30 uploads at once so many were committed together: %v", b)
	}
	if n := len(s.Names()); n != 30 {
		t.Errorf("%d files are there", n)
	}
}

func TestCommitsLinger(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "", func(o *dropbox.Options) { o.BatchTimeout, o.BatchSize = 200*time.Millisecond, 5 })
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() { put(t, r, fmt.Sprintf("f%d", i), "x") })
	}
	all.Wait()
	if b := s.Batches(); slices.Max(b) > 5 || len(s.Names()) != 12 {
		t.Errorf("%v are committed together, %d in all", b, len(s.Names()))
	}
}

func TestAFileThatIsCommittedByItself(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "", func(o *dropbox.Options) { o.Unbatched = true })
	put(t, r, "small", "x")
	if s.Asked("files/upload") != 1 || s.Asked("files/upload_session/start") != 0 {
		t.Errorf("a small file takes %d uploads and %d sessions", s.Asked("files/upload"), s.Asked("files/upload_session/start"))
	}
	long := strings.Repeat("0123456789", 1<<20)
	put(t, r, "long", long)
	if got := readAll(t, r, "long"); got != long || s.Asked("files/upload_session/append_v2") != 2 {
		t.Errorf("%d bytes, by %d chunks behind the first", len(got), s.Asked("files/upload_session/append_v2"))
	}
}

// TestTooManyRequests refuses requests in each way that there is. They are made again, and the log
// says so once.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	var log bytes.Buffer
	ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	congested := 0
	ctx = remote.WithCongested(ctx, func() { congested++ })
	r := openOn(t, s, "")
	began := time.Now()
	s.Refuse(1, 1)
	if _, err := r.Stat(ctx, "."); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("it was asked again after %v, not after the second that it was told to wait", took)
	}
	for what, change := range map[string]func() error{
		"put":   func() error { _, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{}); return err },
		"mkdir": func() error { return r.Mkdir(ctx, "d"+fmt.Sprint(time.Now().UnixNano())) },
	} {
		s.Lock(2)
		if err := change(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := strings.Count(log.String(), "too many requests"); n != 1 || congested < 3 {
		t.Errorf("the log says it %d times, and %d reports: %s", n, congested, &log)
	}
}

func TestErrorsOfAnAccount(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "")
	s.PutReadOnly("/given", "x")
	s.SetSpace(100)
	if e, err := r.Stat(t.Context(), "given"); err != nil || !e.ReadOnly {
		t.Errorf("%+v, %v", e, err)
	}
	_, readOnly := r.Put(t.Context(), "given", strings.NewReader("y"), remote.PutOptions{})
	_, full := r.Put(t.Context(), "f", strings.NewReader(strings.Repeat("x", 200)), remote.PutOptions{})
	_, name := r.Put(t.Context(), "Thumbs.db", iotestUnread{t}, remote.PutOptions{})
	for what, c := range map[string]struct{ err, want error }{
		"over a file that is only to read": {readOnly, remote.ErrPermission},
		"the removal of one":               {r.Remove(t.Context(), "given"), remote.ErrPermission},
		"more than there is room for":      {full, remote.ErrQuota},
		"a name that is not kept":          {name, remote.ErrBadName},
	} {
		if !errors.Is(c.err, c.want) || !remote.Permanent(c.err) {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	u, err := r.Usage(t.Context())
	if err != nil || u.Total != 100 || u.Used != 1 || u.Free != 99 {
		t.Errorf("%+v, %v", u, err)
	}
	s.Expire()
	if _, err := r.Stat(t.Context(), "given"); !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "log in again: reconnect one:") ||
		strings.Contains(err.Error(), dropboxserver.Token) {
		t.Errorf("after the end of the token: %v", err)
	}
}

// iotestUnread is a body that nobody may read.
type iotestUnread struct{ t *testing.T }

func (u iotestUnread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// TestAFileReplacesAFile looks at the old one while the new one is renamed over it: it is there all
// the time.
func TestAFileReplacesAFile(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "")
	put(t, r, "old", "old content")
	done := make(chan error, 1)
	for i := range 20 {
		put(t, r, "new", fmt.Sprint("content ", i))
		if err := r.Move(t.Context(), "new", "old"); !errors.Is(err, remote.ErrUnsupported) {
			t.Fatalf("the driver moves over a file: %v", err)
		}
		go func() { done <- remote.Move(t.Context(), r, "new", "old") }()
		for moved := false; !moved; {
			if _, err := r.Stat(t.Context(), "old"); err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			select {
			case err := <-done:
				if moved = true; err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
		if got := readAll(t, r, "old"); got != fmt.Sprint("content ", i) {
			t.Fatalf("it holds %q", got)
		}
	}
	if names := s.Names(); !slices.Equal(names, []string{"/old"}) {
		t.Errorf("there are %q", names)
	}
}

func TestARenameThatChangesTheCaseOnly(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "")
	before := put(t, r, "photo.JPG", "x")
	if err := r.Mkdir(t.Context(), "dir"); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"photo.JPG": "photo.jpg", "dir": "DIR"} {
		if err := r.Move(t.Context(), from, to); err != nil {
			t.Errorf("%s: %v", from, err)
		}
	}
	if names := s.Names(); !slices.Equal(names, []string{"/DIR", "/photo.jpg"}) {
		t.Errorf("there are %q", names)
	}
	if e, err := r.Stat(t.Context(), "PHOTO.JPG"); err != nil || e.Name != "photo.jpg" || e.ID != before.ID {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestTheSameContentKeepsItsTime is what Dropbox does, and is no failure.
func TestTheSameContentKeepsItsTime(t *testing.T) {
	t.Parallel()
	r := openOn(t, dropboxserver.Start(t), "")
	first, second := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2002, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, when := range []time.Time{first, second} {
		e, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{ModTime: when})
		if err != nil || !e.ModTime.Equal(first) {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestDocumentsAreLeftOut(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	r := openOn(t, s, "")
	put(t, r, "f", "x")
	s.PutDocument("/Notes.paper")
	names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	if !slices.Equal(names, []string{"f"}) || len(omitted) != 1 || !strings.Contains(omitted[0], "Notes.paper") || err != nil {
		t.Errorf("%q, left out %q, %v", names, omitted, err)
	}
	if _, err := r.Stat(t.Context(), "Notes.paper"); !errors.Is(err, remote.ErrNotExist) {
		t.Error(err)
	}
}

// TestAWatchOutlivesItsCursor makes the cursor invalid: then anything may have changed.
func TestAWatchOutlivesItsCursor(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	root := s.NewFolder(t)
	r := openOn(t, s, root)
	began := 0
	for c, err := range r.Watch(t.Context(), time.Hour) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c == remote.Everything() && began == 0:
			began = 1
			s.ResetCursors()
		case c == remote.Everything():
			began++
			put(t, openOn(t, s, ""), root+"/by others", "x")
		case c.Name == "by others" && began == 2:
			return
		default:
			t.Fatalf("%+v", c)
		}
	}
}

func TestOnWhoseBehalf(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	s.SetTeam()
	put(t, openOn(t, s, ""), "mine", "x")
	put(t, openOn(t, s, "/"), "ours", "x")
	put(t, openOn(t, s, "Home", func(o *dropbox.Options) { o.RootNamespace = dropboxserver.TeamSpace }), "mine, too", "x")
	put(t, openOn(t, s, "", func(o *dropbox.Options) { o.Impersonate = dropboxserver.Member }), "of ann", "x")
	if names := s.Names(); !slices.Equal(names, []string{"/Home", "/Home/mine", "/Home/mine, too", "/Home/of ann", "/ours"}) {
		t.Errorf("there are %q", names)
	}
	r := openOn(t, s, "", func(o *dropbox.Options) { o.Impersonate = "nobody@example.com" })
	if _, err := r.Stat(t.Context(), "."); !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "impersonate") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "hunter2"})
	for want, o := range map[string]dropbox.Options{
		"reconnect one:": {Login: "reconnect one:"},
		"chunk_size":     {Tokens: token, ChunkSize: 200 << 20},
		"batch_size":     {Tokens: token, BatchSize: 2000},
		"endpoint":       {Tokens: token, Endpoint: "://"},
	} {
		_, err := dropbox.New(t.Context(), "", o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
	r := open(t, "/a/b/", dropbox.Options{Tokens: token, Account: "one"})
	defer r.Close()
	if i := r.Info(); i.Name != "dropbox:a/b" || !strings.Contains(i.Place, "one") {
		t.Errorf("%+v", i)
	}
}
