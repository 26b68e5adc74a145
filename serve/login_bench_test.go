package serve

import (
	"fmt"
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
	of := func(remember time.Duration) *Accounts {
		return &Accounts{Source: NewFileSource(file, auth.NewVerifier(remember, 0)), Open: office.openTree}
	}
	tree, _, _ := office.openTree(b.Context(), Wanted{Remote: "main"})
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
