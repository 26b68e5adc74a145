package serve

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/users"
)

// A lateSource has its file replaced between the check of a password and what follows.
type lateSource struct {
	*FileSource
	meanwhile func()
}

func (s *lateSource) Login(ctx context.Context, l auth.Login) (users.User, error) {
	u, err := s.FileSource.Login(ctx, l)
	s.meanwhile()
	return u, err
}

func TestALoginThatBeganBeforeAReloadIsHeldToTheNewFile(t *testing.T) {
	const before = "[users.cam]\npassword = HASH\n"
	for name, test := range map[string]struct {
		after string
		right bool
	}{
		"the same":         {before + "note = 'a camera'\n", true},
		"disabled":         {before + "disabled = true\n", false},
		"of less":          {before + "permissions = { '/' = ['read-only'] }\n", false},
		"not there":        {"[users.bob]\npassword = HASH\n", false},
		"another password": {"[users.cam]\npassword = '" + otherHash(t) + "'\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBureau(t, before)
			source := &lateSource{FileSource: b.source}
			source.meanwhile = func() {
				file := b.parse(t, test.after)
				b.source.Replace(file)
				if ended := b.Reload(file); len(ended) != 0 {
					t.Errorf("sessions %v end, and there is none", ended)
				}
			}
			b.Source = source
			tree, err := b.Login(t.Context(), client(1), "cam", "secret")
			switch {
			case (err == nil) != test.right:
				t.Fatalf("logged in with the file before: %v", err)
			case err == nil:
				tree.Close()
			case errors.Is(err, ftp.ErrDenied):
				t.Errorf("%v says that the password was wrong", err)
			}
			if n := b.inUse.Load(); n != 0 {
				t.Errorf("%d trees are in use", n)
			}
		})
	}
}

func otherHash(t *testing.T) string {
	t.Helper()
	hash, err := auth.NewHash("sha256-crypt", "", "another")
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestAPasswordThatNoRemoteChecksIsNotRight(t *testing.T) {
	for name, text := range map[string]string{
		"the remote of the command line": "[users.cam]\nauth = 'remote'\n",
		"mounts":                         "[users.cam]\nauth = 'remote'\nmounts = { '/in' = 'nas:scans' }\n",
	} {
		t.Run(name, func(t *testing.T) {
			f, err := users.Parse("users.toml", []byte(text))
			if err != nil {
				return // it is found when the file is read
			}
			b := newBureau(t, "")
			b.source.Replace(f)
			tree, err := b.Login(t.Context(), client(1), "cam", "anything")
			if err == nil {
				tree.Close()
				t.Fatal("logged in with any password")
			}
			if errors.Is(err, ftp.ErrDenied) || !strings.Contains(err.Error(), "{password}") {
				t.Errorf("%v does not say what is wrong with the file", err)
			}
		})
	}
}

// A granting authenticator lets everybody in, to one back end.
type granting auth.Backend

func (g granting) Authenticate(_ context.Context, l auth.Login) (auth.Identity, error) {
	b := auth.Backend(g)
	return auth.Identity{User: l.User, Owner: l.User, Grant: &auth.Grant{Backend: &b}}, nil
}

func TestBracesInWhatIsGrantedStandForThemselves(t *testing.T) {
	b := newBureau(t, "")
	b.Source = AuthSource{Auth: granting{Type: "sftp", Root: "/home/{user}", Options: map[string]string{"key": "a{secret}b{user}"}}}
	tree, err := b.Login(t.Context(), client(1), "cam", "x")
	if err != nil {
		t.Fatal(err)
	}
	tree.Close()
	if got, want := b.opened[0].Remote, `:sftp,key="a{secret}b{user}":/home/{user}`; got != want {
		t.Errorf("opened %s, not %s", got, want)
	}
}

func TestTheSessionsOfATreeAreKnown(t *testing.T) {
	b := newBureau(t, `
[users.cam]
password = HASH
remote = "nas:{user}"
[users.bob]
password = HASH
remote = "nas:bob"
mounts = { "/cam" = "nas:cam" }
[users.ann]
password = HASH
`)
	for session, name := range []string{"cam", "bob", "ann"} {
		tree := b.login(t, uint64(session), name)
		defer func() {
			tree.Close()
			if got := b.Sessions(b.trees["nas:cam"]); slices.Contains(got, uint64(session)) {
				t.Errorf("session %d has ended, and is in %v", session, got)
			}
		}()
	}
	got := b.Sessions(b.trees["nas:cam"])
	slices.Sort(got)
	if !slices.Equal(got, []uint64{0, 1}) {
		t.Errorf("sessions %v see it", got)
	}
}

func TestWhoseUserNeedsTLSHasProtectedDataConnections(t *testing.T) {
	b := newBureau(t, "[users.cam]\npassword = HASH\nrequire_tls = true\n[users.bob]\npassword = HASH\n")
	for name, want := range map[string]bool{"cam": true, "bob": false} {
		c := client(1)
		c.TLS = true
		tree, err := b.Login(t.Context(), c, name, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.(ftp.Limited).Limits().Private; got != want {
			t.Errorf("%s: private %t", name, got)
		}
		tree.Close()
	}
}
