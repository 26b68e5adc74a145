package ftp_test

import (
	"context"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// asked is a tree of the file f, the directory d with a file in it, and the directory secret that
// cannot be listed. It notes what it is asked.
type asked struct {
	ftp.FS
	calls *[]string
}

func (a asked) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	*a.calls = append(*a.calls, "stat "+name)
	switch name {
	case "f", "d/name":
		return fileInfo{}, nil
	case ".", "d", "secret":
		return fileInfo{dir: true}, nil
	}
	return nil, fs.ErrNotExist
}

func (a asked) List(_ context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		*a.calls = append(*a.calls, "list "+dir)
		switch dir {
		case ".", "d":
			yield(fileInfo{}, nil)
		case "f", "d/name":
			yield(nil, ftp.ErrNotDir)
		case "secret":
			yield(nil, fs.ErrPermission)
		default:
			yield(nil, fs.ErrNotExist)
		}
	}
}

func (asked) Close() error { return nil }

// A storage that is far away takes as long for a Stat as for the first entries.
func TestADirectoryIsListedWithoutALookBefore(t *testing.T) {
	var calls []string
	d := talk(t, memory.New(), func(s *ftp.Server) {
		s.Backend = backendFunc(func() (ftp.FS, error) { return asked{calls: &calls}, nil })
	})
	for _, c := range []struct {
		command string
		code    string // of the reply, after 150 where there is one
		data    string // what the data connection gives: a pattern
		calls   string
	}{
		{"LIST", "226", "*name*", "list ."},
		{"LIST d", "226", "*name*", "list d"},
		{"LIST d/", "226", "*name*", "list d"},
		{"LIST -la", "226", "*name*", "stat -la, list ."},
		{"LIST -la d", "226", "*name*", "stat -la d, list d"},
		{"LIST d/n*", "226", "*name*", "stat d/n*, list d"},
		{"NLST d", "226", "d/name*", "list d"},
		{"MLSD d", "226", "*name*", "list d"},
		{"STAT d", "213", "", "list d"},
		{"LIST f", "226", "*name*", "list f, stat f"},
		{"NLST d/name", "226", "d/name*", "list d/name, stat d/name"},
		{"LIST none", "550", "", "list none, stat none"},
		{"LIST secret", "550", "", "list secret, stat secret"},
		{"LIST f/n*", "550", "", "stat f/n*, list f, stat f"},
		{"STAT none", "550", "", "list none, stat none"},
		{"STAT secret", "550", "", "list secret, stat secret"},
		{"MLSD f", "501", "", "list f, stat f"},
		{"MLSD none", "550", "", "list none, stat none"},
	} {
		calls = nil
		if strings.HasPrefix(c.command, "STAT") {
			d.steps("> "+c.command, "<< "+c.code)
		} else if d.steps("passive", "> "+c.command); c.data != "" {
			d.steps("<< 150", "match "+c.data, "<< "+c.code)
		} else {
			d.steps("<< " + c.code)
		}
		if want := strings.Split(c.calls, ", "); !slices.Equal(calls, want) {
			t.Errorf("%s: %q, want %q", c.command, calls, want)
		}
	}
}
