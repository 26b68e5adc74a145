package serve

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"ferry/ftp"
)

// The unfinished uploads of a stranger are not those of a user who is called like them.
func TestAUserCalledLikeAStranger(t *testing.T) {
	b := newBureau(t, `
[users.cam]
auth = "none"
[users."cam@192.0.2.7"]
password = HASH
`)
	open := func(name string) ftp.FS {
		f := b.login(t, 1, name)
		t.Cleanup(func() { f.Close() })
		return f
	}
	up, err := open("cam").Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(up, "half"); err != nil {
		t.Fatal(err)
	}
	up.Abort()
	if _, err := open("cam").Stat(t.Context(), "f"); err != nil {
		t.Errorf("the stranger: %v", err)
	}
	if _, err := open("cam@192.0.2.7").Stat(t.Context(), "f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the user sees what the stranger sent: %v", err)
	}
}
