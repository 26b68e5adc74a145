package observe

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"ferry/auth"
	"ferry/ftp"
	"ferry/remote/driver/local"
	"ferry/serve"
	"ferry/vfs"
)

// Files of this machine move inside the kernel as they do when nobody listens.
func TestFilesStayFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tree := vfs.New(r, vfs.Options{})
	defer tree.Close()
	plain := &serve.Backend{Auth: auth.NewSingle("bob", ""), Tree: tree}
	for name, b := range map[string]ftp.Backend{"nobody listens": plain, "somebody listens": Backend(plain, nil)} {
		f, err := b.Login(context.Background(), ftp.Client{}, "bob", "")
		if err != nil {
			t.Fatal(err)
		}
		body, err := f.Open(t.Context(), "a", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, is := body.(*os.File); !is {
			t.Errorf("%s: a download reads a %T", name, body)
		}
		body.Close()
		up, err := f.Create(t.Context(), "b", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, can := up.(io.ReaderFrom); !can {
			t.Errorf("%s: an upload is a %T, which does not read from a connection", name, up)
		}
		up.Abort()
		f.Close()
	}
}
