package onedrive_test

import (
	"crypto/sha1"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/graphserver"
)

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]onedrive.Options{
		"drive_type":  {DriveType: "floppy"},
		"region":      {Region: "moon"},
		"endpoint":    {Endpoint: "ftp://here"},
		"chunk_size":  {ChunkSize: 1 << 20},
		"list_chunk":  {ListChunk: -1},
		"hard_delete": {DriveType: onedrive.Personal, HardDelete: true},
	} {
		_, err := onedrive.New(t.Context(), "", o)
		if err == nil || !strings.Contains(err.Error(), "onedrive: option "+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	for _, name := range []string{
		"CON", "nul", "Com1", "LPT9", ".lock", "desktop.ini", "a_vti_b", strings.Repeat("n", 256), strings.Repeat("é", 256),
		".ferry-part.x.y", aside("f"), strings.ToUpper(aside("f")), aside("d") + "/f", strings.Repeat("d/", 200) + "f",
	} {
		body := strings.NewReader("x")
		_, err := r.Put(t.Context(), name, body, remote.PutOptions{})
		if !errors.Is(err, remote.ErrBadName) || body.Len() != 1 || !errors.Is(r.CheckName(name), remote.ErrBadName) {
			t.Errorf("%.20q: %v", name, err)
		}
		if err := r.Mkdir(t.Context(), name); !errors.Is(err, remote.ErrBadName) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	for _, name := range []string{"CON.txt", "lock", "~$owner.docx", strings.Repeat("é", 255), strings.Repeat("📷", 127), "com10"} {
		put(t, r, name, "x")
		if got := get(t, r, name); got != "x" || r.CheckName(name) != nil {
			t.Errorf("%.20q holds %q", name, got)
		}
	}
}

// All calls of a remote wait as long as the service says, and the log hears of it once.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	put(t, r, "f", "content")
	var log remotetest.Log
	ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	congested := 0
	ctx = remote.WithCongested(ctx, func() { congested++ })
	for range 3 {
		s.Throttle(1, 100*time.Millisecond)
		if _, err := r.Stat(ctx, "f"); err != nil { // is told to wait, and does
			t.Fatal(err)
		}
		s.Throttle(1, 100*time.Millisecond)
		began := time.Now()
		if _, err := r.Stat(ctx, "f"); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := r.Stat(t.Context(), "f"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if d := time.Since(began); d < 100*time.Millisecond {
			t.Errorf("it took %v", d)
		}
	}
	if n := s.Early(); n != 0 {
		t.Errorf("%d requests came too early", n)
	}
	if n := strings.Count(log.String(), "fewer requests"); n != 1 || congested != 6 {
		t.Errorf("it is logged %d times, and reported %d times:\n%s", n, congested, &log)
	}
	s.Throttle(1000, time.Millisecond)
	var o onedrive.Options
	o.Network.Attempts = 3
	impatient, _ := openDrive(t, s, s.Addr, graphserver.Business, o)
	s.Requests()
	_, err := impatient.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
	if n := len(s.Requests()); n != 3 || err == nil || !remote.WasRepeated(err) || remote.Permanent(err) {
		t.Errorf("%v after %d requests", err, n)
	}
}

// changing is a source whose token changes.
type changing struct {
	mu    sync.Mutex
	token string // guarded by mu
	then  string // guarded by mu; what it is when it was asked for; "" = the same
}

func (c *changing) Token() (*oauth2.Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.token
	if c.then != "" {
		c.token = c.then
	}
	return &oauth2.Token{AccessToken: now}, nil
}

// failing is a login that is not accepted any more.
type failing struct{}

func (failing) Token() (*oauth2.Token, error) {
	return nil, &oauth2.RetrieveError{ErrorCode: "invalid_grant", Body: []byte("secret-of-the-body")}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	drive := s.NewDrive(graphserver.Business)
	stat := func(source oauth2.TokenSource) error {
		r, err := onedrive.New(t.Context(), "", onedrive.Options{Endpoint: "http://" + s.Addr, Tokens: source, Login: "reconnect one:", DriveID: drive})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = r.Stat(t.Context(), ".")
		return err
	}
	if err := stat(&changing{token: "old", then: graphserver.Token}); err != nil {
		t.Errorf("a token that was renewed meanwhile: %v", err)
	}
	for what, source := range map[string]oauth2.TokenSource{"a wrong token": &changing{token: "wrong"}, "no token": failing{}} {
		err := stat(source)
		if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "log in again: reconnect one:") ||
			strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNotebooks(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	for shown, want := range map[bool]string{false: "f", true: "f notes"} {
		r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{OneNote: shown})
		put(t, r, "f", "x")
		s.Notebook(drive, "notes")
		names, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
		if err != nil || strings.Join(names, " ") != want || len(omitted) > 0 {
			t.Errorf("%q, %q, %v", names, omitted, err)
		}
		if _, err := r.Stat(t.Context(), "notes"); (err == nil) != shown {
			t.Errorf("%v", err)
		}
	}
}

// Folders of others that are linked into the drive are directories like any other, also for who
// knows the path alone.
func TestFoldersOfOthers(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	others, otherDrive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	for _, dir := range []string{"ours", "ours/sub"} {
		if err := others.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	put(t, others, "ours/sub/f", "content")
	drive := s.NewDrive(graphserver.Personal)
	s.Link(drive, "shared", otherDrive, "ours")
	fresh := func() *onedrive.Remote {
		r := open(t, s.Addr, onedrive.Options{DriveID: drive, DriveType: graphserver.Personal})
		t.Cleanup(func() { r.Close() })
		return r
	}
	if got := get(t, fresh(), "shared/sub/f"); got != "content" {
		t.Errorf("it holds %q", got)
	}
	put(t, fresh(), "shared/sub/g", "new")
	if err := fresh().Mkdir(t.Context(), "shared/made"); err != nil {
		t.Error(err)
	}
	for dir, want := range map[string]string{".": "shared", "shared": "made sub", "shared/sub": "f g", "shared/made": ""} {
		names, _, err := remotetest.ListOmitting(t.Context(), fresh(), dir)
		if err != nil || strings.Join(names, " ") != want {
			t.Errorf("in %s there is %q, %v", dir, names, err)
		}
	}
	r := fresh()
	if e, err := r.Stat(t.Context(), "shared"); err != nil || !e.Dir {
		t.Errorf("%+v, %v", e, err)
	}
	put(t, r, "mine", "mine")
	if err := remote.Move(t.Context(), r, "mine", "shared/mine"); err != nil {
		t.Errorf("%v", err)
	}
	if err := r.Move(t.Context(), "shared/sub/g", "shared/made/h"); err != nil {
		t.Errorf("%v", err)
	}
	if names := s.Names(otherDrive, "ours") + "; " + s.Names(otherDrive, "ours/made"); names != "made mine sub; h" {
		t.Errorf("there is %q", names)
	}
	if err := r.Rmdir(t.Context(), "shared"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("%v", err)
	}
	if err := r.Remove(t.Context(), "shared/mine"); err != nil || get(t, others, "ours/made/h") != "new" {
		t.Errorf("%v", err)
	}
}

func TestSumsAndQuotas(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	sum := sha1.Sum([]byte("content"))
	for kind, hasSHA1 := range map[string]bool{graphserver.Personal: true, graphserver.Business: false} {
		r, drive := openDrive(t, s, s.Addr, kind, onedrive.Options{})
		put(t, r, "f", "content")
		got, err := r.Hash(t.Context(), "f", "sha1")
		if hasSHA1 && (err != nil || string(got) != string(sum[:])) || !hasSHA1 && !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("%s: %x, %v", kind, got, err)
		}
		h := onedrive.NewQuickXor()
		_, _ = h.Write([]byte("content"))
		if got, err := r.Hash(t.Context(), "f", onedrive.QuickXor); err != nil || string(got) != string(h.Sum(nil)) {
			t.Errorf("%s: %x, %v", kind, got, err)
		}
		s.SetQuota(drive, 100)
		if u, err := r.Usage(t.Context()); err != nil || u != (remote.Usage{Total: 100, Used: 7, Free: 93}) {
			t.Errorf("%s: %+v, %v", kind, u, err)
		}
		s.SetQuota(drive, 0)
		if u, err := r.Usage(t.Context()); err != nil || u.Total != -1 || u.Free != -1 {
			t.Errorf("%s, without one: %+v, %v", kind, u, err)
		}
	}
}

// What a killed process left of a copy is removed by a listing, a day later.
func TestCopiesThatAreLeft(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	names := []string{"f", "old", "new"}
	for _, name := range names {
		put(t, r, name, "x") // with a time long ago
	}
	for _, name := range names[1:] {
		s.Rename(drive, name, ".ferry-part.-~7."+name)
	}
	s.Age(drive, ".ferry-part.-~7.old", 25*time.Hour)
	for _, c := range []struct {
		watched time.Duration
		want    string
	}{
		{time.Minute, ".ferry-part.-~7.new .ferry-part.-~7.old f"},
		{2 * time.Hour, ".ferry-part.-~7.new f"},
	} {
		r.ClockWatchedFor(c.watched)
		shown, _, err := remotetest.ListOmitting(t.Context(), r, ".")
		if there := s.Names(drive, ""); err != nil || strings.Join(shown, " ") != "f" || there != c.want {
			t.Errorf("%q is listed, and %q is there, %v", shown, there, err)
		}
	}
}

func TestDeletionForGood(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, drive := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{HardDelete: true})
	put(t, r, "f", "content")
	s.Requests()
	if err := r.Remove(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(s.Requests(), "\n")
	if !strings.Contains(all, "/permanentDelete") || strings.Contains(all, "DELETE") || s.Names(drive, "") != "" {
		t.Errorf("%s\nand there is %q", all, s.Names(drive, ""))
	}
}

// What a call costs does not grow unnoticed.
func TestWhatACallCosts(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	r, _ := openDrive(t, s, s.Addr, graphserver.Business, onedrive.Options{})
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	put(t, r, "d/f", "content")
	for _, dir := range []string{".", "d"} { // else each look at nothing is one for what is aside, too
		if _, _, err := remotetest.ListOmitting(t.Context(), r, dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what string
		cost int
		call func() error
	}{
		{"a look", 1, func() error { _, err := r.Stat(t.Context(), "d/f"); return err }},
		{"a look at nothing", 1, func() error { _, err := r.Stat(t.Context(), "d/none"); return ignore(err, remote.ErrNotExist) }},
		{"a listing", 1, func() error { _, _, err := remotetest.ListOmitting(t.Context(), r, "d"); return err }},
		{"a read", 2, func() error { get(t, r, "d/f"); return nil }},
		{"a file with a time", 3, func() error { put(t, r, "d/f", "content"); return nil }},
		{"a file without", 2, func() error {
			_, err := r.Put(t.Context(), "d/f", strings.NewReader("x"), remote.PutOptions{})
			return err
		}},
		{"a long file", 5, func() error { put(t, r, "d/g", long(10*onedrive.ChunkUnit)); return nil }},
		{"a rename", 4, func() error { return r.Move(t.Context(), "d/g", "h") }},
		{"a removal", 2, func() error { return r.Remove(t.Context(), "h") }},
		{"a directory", 2, func() error { return r.Mkdir(t.Context(), "d/e") }},
		{"its end", 3, func() error { return r.Rmdir(t.Context(), "d/e") }},
	} {
		s.Requests()
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if all := s.Requests(); len(all) != c.cost {
			t.Errorf("%s costs %d requests, want %d: %q", c.what, len(all), c.cost, all)
		}
	}
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
