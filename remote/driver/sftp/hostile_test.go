package sftp

import (
	"io"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// liar is a server whose root lists the names, and that knows nothing else.
type liar []fs.FileInfo

func newLiar(names []string) liar {
	var l liar
	for _, name := range names {
		l = append(l, lie{name})
	}
	return l
}

func (l liar) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch {
	case r.Method == "List":
		return l, nil
	case r.Filepath == "/":
		return liar{lie{"/"}}, nil
	}
	return nil, os.ErrPermission
}

func (l liar) ListAt(to []os.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[off:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

// lie is a file of any name; one called "/" is a directory, and "link" is a link.
type lie struct{ name string }

func (l lie) Name() string       { return l.name }
func (l lie) Size() int64        { return 5 }
func (l lie) ModTime() time.Time { return time.Unix(1e9, 0) }
func (l lie) IsDir() bool        { return l.name == "/" && l.Mode().IsDir() }
func (l lie) Sys() any           { return nil }

func (l lie) Mode() fs.FileMode {
	switch l.name {
	case "/":
		return fs.ModeDir | 0o755
	case "link":
		return fs.ModeSymlink | 0o777
	}
	return 0o644
}

func openLiar(t *testing.T, names ...string) remote.Remote {
	t.Helper()
	l := newLiar(names)
	s := startServer(t, func(ch ssh.Channel) error {
		return sftp.NewRequestServer(ch, sftp.Handlers{FileList: l}).Serve()
	})
	o := s.options()
	o.Encoding = Encoding
	return openRemote(t, "/", o)
}

func TestHostileNames(t *testing.T) {
	remotetest.RunHostile(t, func(t *testing.T, names []string) remote.Remote {
		return openLiar(t, append(slices.Clone(names), "ok")...)
	}, func(name string) bool { return name == "." || name == ".." })
}

// What is listed and cannot be shown is reported.
func TestOmissions(t *testing.T) {
	r := openLiar(t, "ok", "link", "a‛b")
	defer r.Close()
	got, omitted, err := remotetest.ListOmitting(t.Context(), r, ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"link: it may not be looked at", "a‛b: " + remote.OmittedEncoding}
	if !slices.Equal(got, []string{"ok"}) || !slices.Equal(omitted, want) {
		t.Errorf("listed %q, left out %q", got, omitted)
	}
}
