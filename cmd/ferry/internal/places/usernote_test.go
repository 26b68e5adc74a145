package places

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTheLastUserOfACacheIsNoted has the first one leave the file of users.
func TestTheLastUserOfACacheIsNoted(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, cachesName, "nas")
	if err := os.MkdirAll(filepath.Join(dir, "dirty", "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"cam", "bob", "bob"} {
		if err := NoteUser(dir, user); err != nil {
			t.Fatal(err)
		}
		if got := Of(base, nil).UsersWaiting(slog.New(slog.DiscardHandler)); !slices.Equal(got, []string{user}) {
			t.Errorf("after %s there wait %q", user, got)
		}
	}
}
