package places

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
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
		if err := (Note{Dir: dir, User: user, Remote: "nas:" + user, Options: map[string]string{"cache_mode": "writes"}}).Write(); err != nil {
			t.Fatal(err)
		}
		want := []Note{{Dir: dir, User: user, Remote: "nas:" + user, Options: map[string]string{"cache_mode": "writes"}}}
		log := slog.New(slog.DiscardHandler)
		if got := Of(base, nil).Waiting(func(string) bool { return false }, log); !reflect.DeepEqual(got, want) {
			t.Errorf("after %s there wait %+v", user, got)
		}
		if got := Of(base, nil).Waiting(func(d string) bool { return d == dir }, log); got != nil {
			t.Errorf("in an open cache there wait %+v", got)
		}
	}
}

// TestANoteOfBefore has the user alone.
func TestANoteOfBefore(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, userNote), []byte("cam\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := ReadNote(dir); err != nil || !reflect.DeepEqual(n, Note{Dir: dir, User: "cam"}) {
		t.Errorf("%+v, %v", n, err)
	}
}
