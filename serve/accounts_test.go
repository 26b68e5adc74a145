package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/serve/users"
	"ferry/vfs"
)

// A bureau is Accounts of a users file over trees in memory.
type bureau struct {
	*Accounts
	source *FileSource
	hash   string
	opened []Wanted
	inUse  atomic.Int32
	fail   error // of opening
	trees  map[string]*vfs.FS
}

// newBureau reads a file in which HASH stands for the hash of "secret".
func newBureau(t *testing.T, text string) *bureau {
	t.Helper()
	b := &bureau{trees: map[string]*vfs.FS{}}
	var err error
	if b.hash, err = auth.NewHash("sha256-crypt", "", "secret"); err != nil {
		t.Fatal(err)
	}
	b.source = NewFileSource(b.parse(t, text), auth.NewVerifier(time.Hour, 0))
	b.Accounts = &Accounts{Source: b.source, Open: b.openTree, Remote: "main"}
	t.Cleanup(func() {
		for _, tree := range b.trees {
			tree.Close()
		}
	})
	return b
}

func (b *bureau) parse(t *testing.T, text string) *users.File {
	t.Helper()
	f, err := users.Parse("users.toml", []byte(strings.ReplaceAll(text, "HASH", "'"+b.hash+"'")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (b *bureau) openTree(_ context.Context, w Wanted) (*vfs.FS, func(), error) {
	b.opened = append(b.opened, w)
	if b.fail != nil {
		return nil, nil, b.fail
	}
	tree := b.trees[w.Remote]
	if tree == nil {
		var r remote.Remote = memory.New()
		tree = vfs.New(r, vfs.Options{Log: slog.New(slog.DiscardHandler)})
		b.trees[w.Remote] = tree
	}
	b.inUse.Add(1)
	return tree, func() { b.inUse.Add(-1) }, nil
}

// client is one of a session with that number.
func client(session uint64) ftp.Client {
	return ftp.Client{Session: session, Remote: netip.MustParseAddrPort("192.0.2.7:40000")}
}

func (b *bureau) login(t *testing.T, session uint64, user string) ftp.FS {
	t.Helper()
	f, err := b.Login(t.Context(), client(session), user, "secret")
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	return f
}

func TestEachUserSeesAnotherTree(t *testing.T) {
	b := newBureau(t, `
[users.cam]
password = HASH
remote = "nas:{user}"
[users.bob]
password = HASH
mounts = { "/in" = "nas:scans", "/own" = "nas:home/{user}" }
[users.ann]
password = HASH
`)
	cam, bob, ann := b.login(t, 1, "cam"), b.login(t, 2, "bob"), b.login(t, 3, "ann")
	var remotes []string
	for _, w := range b.opened {
		remotes = append(remotes, w.Remote)
		if w.Password != "" {
			t.Errorf("%s was opened with a password", w.Remote)
		}
	}
	slices.Sort(remotes)
	if got := strings.Join(remotes, " "); got != "main nas:cam nas:home/bob nas:scans" {
		t.Errorf("opened %s", got)
	}
	if err := cam.Mkdir(t.Context(), "pictures"); err != nil {
		t.Error(err)
	}
	if _, err := ann.Stat(t.Context(), "pictures"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ann sees what cam made: %v", err)
	}
	if err := bob.Mkdir(t.Context(), "in/x"); err != nil {
		t.Error(err)
	}
	if _, err := b.trees["nas:scans"].View("x").Stat(t.Context(), "x"); err != nil {
		t.Errorf("what bob made is not in his mount: %v", err)
	}
	if n := b.inUse.Load(); n != 4 {
		t.Errorf("%d trees are in use", n)
	}
	for _, f := range []ftp.FS{cam, bob, ann} {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := b.inUse.Load(); n != 0 {
		t.Errorf("%d trees are in use after the last session", n)
	}
}

func TestWhoMayLogIn(t *testing.T) {
	b := newBureau(t, `
[users.bob]
password = HASH
[users.gone]
password = HASH
disabled = true
[users.old]
password = HASH
expires = 2020-01-01
[users.there]
password = HASH
allow = ["192.0.2.0/24"]
[users.elsewhere]
password = HASH
allow = ["198.51.100.0/24"]
[users.shut]
password = HASH
deny = ["192.0.2.7/32"]
[users.safe]
password = HASH
require_tls = true
[users.carded]
password = HASH
client_cert = ["cn:carded"]
[users.anybody]
auth = "none"
`)
	for _, c := range []struct {
		user, password string
		tls            bool
		reason         string // "" = may log in
	}{
		{"bob", "secret", false, ""},
		{"bob", "wrong", false, "password is wrong"},
		{"bob", "", false, "password is wrong"},
		{"eve", "secret", false, "no such user"},
		{"gone", "secret", false, "disabled"},
		{"gone", "wrong", false, "password is wrong"}, // nobody else learns that he has gone
		{"old", "secret", false, "expired"},
		{"there", "secret", false, ""},
		{"elsewhere", "secret", false, "not allowed"},
		{"shut", "secret", false, "is denied"},
		{"safe", "secret", false, "requires TLS"},
		{"safe", "secret", true, ""},
		{"carded", "secret", true, "certificate"},
		{"anybody", "whatever", false, ""},
	} {
		who := client(1)
		who.TLS = c.tls
		f, err := b.Login(t.Context(), who, c.user, c.password)
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%s with %q: %v", c.user, c.password, err)
		case c.reason != "" && (!errors.Is(err, ftp.ErrDenied) || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%s with %q: %v, want %q", c.user, c.password, err, c.reason)
		}
		if err == nil {
			f.Close()
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password", c.user)
		}
	}
	if n := b.inUse.Load(); n != 0 {
		t.Errorf("%d trees are in use", n)
	}
}

func TestATreeThatCannotBeOpened(t *testing.T) {
	b := newBureau(t, "[users.bob]\npassword = HASH\nmax_sessions = 1\n[users.thru]\nauth = \"remote\"\nremote = \":sftp,user={user},pass={password}:\"\n")
	b.fail = errors.New("connection refused")
	if _, err := b.Login(t.Context(), client(1), "bob", "secret"); err == nil || errors.Is(err, ftp.ErrDenied) {
		t.Errorf("a remote that is away: %v", err)
	}
	b.fail = auth.ErrDenied
	if _, err := b.Login(t.Context(), client(1), "thru", "theirs"); !errors.Is(err, ftp.ErrDenied) {
		t.Errorf("a remote that refuses the password: %v", err)
	}
	if w := b.opened[len(b.opened)-1]; w.Password != "theirs" || strings.Contains(w.Remote, "theirs") {
		t.Errorf("the remote was opened as %+v", w)
	}
	b.fail = nil
	b.login(t, 2, "bob").Close() // the sessions that failed do not count
}

func TestTheSessionsOfAUserAreLimited(t *testing.T) {
	b := newBureau(t, "[users.bob]\npassword = HASH\nmax_sessions = 2\nmax_transfers = 1\nstart = \"/in\"\nidle_timeout = \"1h\"\n")
	first, second := b.login(t, 1, "bob"), b.login(t, 2, "bob")
	_, err := b.Login(t.Context(), client(3), "bob", "secret")
	var hint interface{ Hint() string }
	if errors.Is(err, ftp.ErrDenied) || !errors.As(err, &hint) {
		t.Errorf("the third session: %v", err)
	}
	first.Close()
	third := b.login(t, 4, "bob")

	l := third.(ftp.Limited).Limits()
	if l.Start != "/in" || l.Idle != time.Hour {
		t.Errorf("limits %+v", l)
	}
	done, err := l.Transfer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.(ftp.Limited).Limits().Transfer(); err == nil {
		t.Error("a second transfer of the user begins")
	}
	done()
	done() // once more does nothing
	for range 2 {
		if done, err := l.Transfer(); err != nil {
			t.Error(err)
		} else {
			done()
		}
	}
}

// TestTheRateOfAUser is that of all sessions together, and a new one holds for running transfers.
func TestTheRateOfAUser(t *testing.T) {
	b := newBureau(t, "[users.bob]\npassword = HASH\nrate_down = \"1Mi\"\n")
	synctest.Test(t, func(t *testing.T) {
		one, two := b.login(t, 1, "bob"), b.login(t, 2, "bob")
		defer one.Close()
		defer two.Close()
		took := func(bytes int) time.Duration {
			began := time.Now()
			done := make(chan error)
			for _, f := range []ftp.FS{one, two} {
				go func() { done <- f.(ftp.Limited).Limits().Down(t.Context(), bytes/2) }()
			}
			for range 2 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			return time.Since(began)
		}
		took(2 * rateBurst) // what passes at once after a pause
		if d := took(10 << 20); d < 9*time.Second || d > 11*time.Second {
			t.Errorf("10 MiB took %v", d)
		}
		if err := one.(ftp.Limited).Limits().Up(t.Context(), 1<<40); err != nil || took(0) > 0 {
			t.Errorf("the other way there is no limit: %v", err)
		}
		b.Reload(b.parse(t, "[users.bob]\npassword = HASH\nrate_down = \"10Mi\"\n"))
		if d := took(10 << 20); d > 2*time.Second {
			t.Errorf("after the rate was raised 10 MiB took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := one.(ftp.Limited).Limits().Down(ctx, 1<<30); err == nil {
			t.Error("the wait goes on after its context has ended")
		}
	})
}

// usersOf writes a file of users: name, what is said of it, and so on.
func usersOf(text ...string) string {
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		fmt.Fprintf(&b, "[users.%s]\npassword = HASH\n%s\n", text[i], text[i+1])
	}
	return b.String()
}

func TestReloadTellsWhoHasToGo(t *testing.T) {
	text := usersOf("ann", "", "bob", "", "cam", "note = \"gate\"", "dan", "")
	b := newBureau(t, text)
	for i, name := range []string{"ann", "bob", "cam", "dan"} {
		defer b.login(t, uint64(i+1), name).Close()
	}
	if gone := b.Reload(b.parse(t, text)); len(gone) != 0 {
		t.Errorf("the same file ends %v", gone)
	}
	f := b.parse(t, usersOf("ann", "permissions = { \"/\" = [\"read-only\"] }", "cam", "note = \"door\"", "dan", "disabled = true"))
	b.source.Replace(f)
	gone := b.Reload(f)
	slices.Sort(gone)
	if !slices.Equal(gone, []uint64{1, 2, 4}) {
		t.Errorf("ended %v", gone)
	}
}

func TestAUserWithACertificateAlone(t *testing.T) {
	b := newBureau(t, "[users.cam]\nclient_cert = [\"cn:ferry test\"]\n[users.bob]\npassword = HASH\nclient_cert = [\"cn:ferry test\"]\n")
	cert := testLeaf(t)
	with := client(1)
	with.TLS, with.Certificates = true, cert
	f, err := b.LoginByCertificate(t.Context(), with, "cam")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for name, c := range map[string]ftp.Client{"bob": with, "eve": with, "cam": client(1)} {
		if _, err := b.LoginByCertificate(t.Context(), c, name); !errors.Is(err, ftp.ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Login(t.Context(), client(1), "cam", "secret"); !errors.Is(err, ftp.ErrDenied) {
		t.Errorf("a password where there is none: %v", err)
	}
	if f, err := b.Login(t.Context(), with, "bob", "secret"); err != nil {
		t.Errorf("both: %v", err)
	} else {
		f.Close()
	}
}
