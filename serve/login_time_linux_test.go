package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"testing"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/users"
)

// A witness sees when the server knows that a login is wrong; the client waits longer.
type witness chan ftp.GuardKind

func (witness) Admit(netip.Addr) error { return nil }

func (w witness) Note(_ netip.Addr, e ftp.GuardEvent, _ string) {
	if e.Kind == ftp.UnknownUser || e.Kind == ftp.WrongPassword {
		w <- e.Kind
	}
}

// A guesser logs in to a server, from another address each time, because those are slowed down that
// guessed wrong.
type guesser struct {
	t       *testing.T
	addr    string
	seen    witness
	guesses int
}

func newGuesser(t *testing.T, source Source) *guesser {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &guesser{t: t, addr: l.Addr().String(), seen: make(witness, 1)}
	srv := &ftp.Server{Backend: &Accounts{Source: source}, Guard: g.seen, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error)
	go func() { done <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return g
}

// takes returns how long the server looks at a wrong login of user.
func (g *guesser) takes(user string, want ftp.GuardKind) time.Duration {
	g.t.Helper()
	g.guesses++
	from := net.TCPAddr{IP: net.IPv4(127, 1, byte(g.guesses>>8), byte(g.guesses))}
	raw, err := (&net.Dialer{LocalAddr: &from}).Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	defer raw.Close()
	c := textproto.NewConn(raw)
	_, _, greeted := c.ReadResponse(220)
	if err := c.PrintfLine("USER %s", user); err != nil || greeted != nil {
		g.t.Fatal(greeted, err)
	}
	if _, _, err := c.ReadResponse(331); err != nil {
		g.t.Fatal(err)
	}
	began := time.Now()
	if err := c.PrintfLine("PASS wrong %d", g.guesses); err != nil {
		g.t.Fatal(err)
	}
	if kind := <-g.seen; kind != want {
		g.t.Fatalf("%s: the server saw %v", user, kind)
	}
	return time.Since(began)
}

// alike measures wrong logins of a known and of unknown users, one after the other, so that what
// the machine does besides meets both. It returns the medians, and whether they differ by less than
// a third.
func (g *guesser) alike(known string, each int) (unknown, wrong time.Duration, ok bool) {
	g.t.Helper()
	var strangers, friends []time.Duration
	for i := range each {
		strangers = append(strangers, g.takes(fmt.Sprint("nobody", i), ftp.UnknownUser))
		friends = append(friends, g.takes(known, ftp.WrongPassword))
	}
	slices.Sort(strangers)
	slices.Sort(friends)
	unknown, wrong = strangers[each/2], friends[each/2]
	return unknown, wrong, 3*unknown > 2*wrong && 2*unknown < 3*wrong
}

// forgetful is a Source that answers at once for users whom it does not know.
type forgetful struct{ *FileSource }

func (f forgetful) Login(ctx context.Context, l auth.Login) (users.User, error) {
	if _, known := f.File().User(l.User); !known {
		return users.User{}, auth.ErrUnknownUser
	}
	return f.FileSource.Login(ctx, l)
}

// The time of a login tells nobody whether there is such a user, whatever the hashes are. A machine
// that is busy for a while may part the medians, so there are three tries.
func TestTheTimeTellsNoUsers(t *testing.T) {
	for _, algorithm := range []string{"argon2id", "sha256-crypt"} {
		t.Run(algorithm, func(t *testing.T) {
			hash, err := auth.NewHash(algorithm, "", "secret")
			if err != nil {
				t.Fatal(err)
			}
			file, err := users.Parse("users.toml", fmt.Appendf(nil, "[users.ann]\npassword = '%s'\n", hash))
			if err != nil {
				t.Fatal(err)
			}
			source := NewFileSource(file, auth.NewVerifier(time.Hour, 0))
			const each = 50
			g := newGuesser(t, source)
			for try := 0; ; try++ {
				unknown, wrong, ok := g.alike("ann", each)
				t.Logf("unknown users take %v, wrong passwords %v", unknown, wrong)
				if ok {
					break
				}
				if try == 2 {
					t.Errorf("unknown users take %v, wrong passwords %v", unknown, wrong)
					break
				}
			}
			unknown, wrong, ok := newGuesser(t, forgetful{source}).alike("ann", 5)
			if ok {
				t.Errorf("a server that answers unknown users at once is not found out: %v, %v", unknown, wrong)
			}
		})
	}
}
