// Package serverconfig reads the file of --server-config: every flag of ferry serve ftp by its
// name, what is served, and the users. It is read as strictly as a file of users.
//
// read.go makes values of the text; show.go says what holds in the end, and where it was said;
// faults.go collects what is wrong.
package serverconfig

import (
	"fmt"
	"io"
	"os"

	"ferry/cmd/ferry/internal/flags"
	"ferry/serve/users"
)

// A File is what one file says.
type File struct {
	Name   string
	Remote string // what is served; "" = it does not say
	Line   int    // of Remote
	Said   map[string]flags.Said
	Tables *users.File // the tables of users and hooks in it
	Users  *users.File // Tables, nil without users
	Secret bool        // it holds something that others should not read
}

// maxFile bounds the size of a file, which may hold the users too.
const maxFile = 64 << 20

// Read reads the file at path. The error is nil, or the mistakes of the file (see users.Errors),
// with what is right of it, or says why it cannot be read.
func Read(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, flags.Usagef("--server-config: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, flags.Usagef("--server-config %q: it is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("--server-config: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a text; path is the name of its file, to which the paths in it are relative. A
// mistake of syntax is alone, all others come together, and with what is right of the file.
func Parse(path string, text []byte) (*File, error) {
	t, err := users.ParseText(path, text)
	if err != nil {
		return nil, err
	}
	r := newReader(path, t)
	r.read(t.Values())
	own := t.Users()
	r.file.Tables = own
	r.file.Secret = r.file.Secret || len(own.Hooks()) > 0
	switch said, elsewhere := r.file.Said["users"]; {
	case t.HasUsers() && elsewhere:
		t.WrongKey(r.from["users"], "the users are in %s, and in tables of this file: have them in one place", said.Texts[0])
	case t.HasUsers():
		r.file.Users, r.file.Secret = own, true
	default:
		for _, name := range []string{"defaults", "groups"} {
			if t.Has(name) {
				t.WrongKey([]string{name}, "there is no [users.NAME] in this file that [%s] could count for: put it where the users are", name)
			}
		}
	}
	return r.file, t.Err()
}
