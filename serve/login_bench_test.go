package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/users"
	"ferry/vfs"
)

// BenchmarkLogin tells what a login costs in the Backend: with the one user of --user, and with one
// of 10,000 of a file whose hashes are argon2id, remembered and not.
func BenchmarkLogin(b *testing.B) {
	tree, of := manyUsers(b)
	for _, bb := range []struct {
		name    string
		backend ftp.Backend
		user    string
	}{
		{"user", &Backend{Auth: auth.NewSingle("u7", "secret"), Tree: tree}, "u7"},
		{"users/auth-cache=5m", of(5 * time.Minute), "u7"},
		{"users/auth-cache=0", of(0), "u7"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for i := range b.N + 1 {
				if i == 1 { // the first one is verified
					b.ResetTimer()
				}
				f, err := bb.backend.Login(b.Context(), client(uint64(i)), bb.user, "secret")
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
		})
	}
}

// manyUsers returns a tree, and what makes a Backend of 10,000 users who see it and whose passwords
// are remembered for some time.
func manyUsers(b *testing.B) (tree *vfs.FS, of func(remember time.Duration) *Accounts) {
	b.Helper()
	hash, err := auth.NewHash("argon2id", "", "secret")
	if err != nil {
		b.Fatal(err)
	}
	const many = 10_000
	var text strings.Builder
	for i := range many {
		fmt.Fprintf(&text, "[users.u%d]\npassword = '%s'\nremote = 'main'\n", i, hash)
	}
	file, err := users.Parse("users.toml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	office := &bureau{trees: map[string]*vfs.FS{}}
	b.Cleanup(func() {
		for _, tree := range office.trees {
			tree.Close()
		}
	})
	of = func(remember time.Duration) *Accounts {
		return &Accounts{Source: NewFileSource(file, auth.NewVerifier(remember, 0)), Open: office.openTree}
	}
	tree, _, _ = office.openTree(b.Context(), Wanted{Remote: "main"})
	return tree, of
}

// BenchmarkLoginOverTheWire is a connection, a login and a goodbye, with the one user of --user,
// and with one of 10,000 whose password is remembered. Beside it stands what a session costs that
// is logged in and idle.
func BenchmarkLoginOverTheWire(b *testing.B) {
	tree, of := manyUsers(b)
	for _, bb := range []struct {
		name    string
		backend ftp.Backend
	}{
		{"user", &Backend{Auth: auth.NewSingle("u7", "secret"), Tree: tree}},
		{"users", of(5 * time.Minute)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			srv := &ftp.Server{Backend: bb.backend, Log: slog.New(slog.DiscardHandler)}
			done := make(chan error)
			go func() { done <- srv.Serve(context.Background(), l) }()
			b.Cleanup(func() {
				srv.Close()
				<-done
			})
			login := func() *textproto.Conn {
				c, err := textproto.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				for _, step := range []struct {
					line string
					want int
				}{{"", 220}, {"USER u7", 331}, {"PASS secret", 230}} {
					if step.line != "" {
						err = c.PrintfLine("%s", step.line)
					}
					if _, _, replied := c.ReadResponse(step.want); err != nil || replied != nil {
						b.Fatal(err, replied)
					}
				}
				return c
			}
			login().Close() // the first one is verified
			for b.Loop() {
				c := login()
				if err := c.PrintfLine("QUIT"); err != nil {
					b.Fatal(err)
				}
				if _, _, err := c.ReadResponse(221); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
			b.StopTimer()
			b.ReportMetric(idleSession(login), "B/session")
		})
	}
}

// idleSession returns how many bytes of heap a session takes, with the buffers of its client.
func idleSession(login func() *textproto.Conn) float64 {
	const many = 200
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	open := make([]*textproto.Conn, many)
	for i := range open {
		open[i] = login()
	}
	for range 4 { // a stack that was large during the login becomes smaller by halves
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	for _, c := range open {
		c.Close()
	}
	return float64(int64(after.HeapAlloc+after.StackInuse)-int64(before.HeapAlloc+before.StackInuse)) / many
}
