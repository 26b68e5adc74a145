package ftp

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestResolve(t *testing.T) {
	for _, tt := range []struct{ cwd, arg, want string }{
		{".", "", "."},
		{"a/b", "", "a/b"},
		{".", "/", "."},
		{"a/b", "/", "."},
		{".", "a", "a"},
		{"a", "b", "a/b"},
		{"a", "/b", "b"},
		{"a", ".", "a"},
		{"a", "./b/.", "a/b"},
		{"a/b", "..", "a"},
		{"a", "..", "."},
		{".", "..", "."},
		{"a/b", "../../../../etc", "etc"},
		{"a", "/../..", "."},
		{"a", "b/../../c", "c"},
		{"a", "//b///c//", "b/c"},
		{"a", "b/", "a/b"},
		{".", "a/b/c", "a/b/c"},
		{".", " a ", " a "},
		{"x", "  ", "x/  "},
		{".", `a\b`, `a\b`},
		{"a", `..\b`, `a/..\b`},
		{".", "...", "..."},
		{".", "..a", "..a"},
		{"a", "~", "a/~"},
		{".", "caf\xe9", "caf\xe9"},
		{"\xff", "\xfe", "\xff/\xfe"},
		{".", `say "hi"`, `say "hi"`},
		{".", "-l", "-l"},
		{"a b", "c d", "a b/c d"},
	} {
		got, err := resolve(tt.cwd, tt.arg)
		if err != nil || got != tt.want {
			t.Errorf("resolve(%q, %q) = %q, %v; want %q", tt.cwd, tt.arg, got, err, tt.want)
		}
	}
	for _, arg := range []string{"a\rb", "a\nb", "a\x00b", "\r", "\x00"} {
		if got, err := resolve(".", arg); !errors.Is(err, errBadPath) {
			t.Errorf("resolve(%q) = %q, %v; want errBadPath", arg, got, err)
		}
	}
}

// validName is io/fs.ValidPath without its demand for UTF-8.
func validName(name string) bool {
	if name == "." {
		return true
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}

func FuzzResolve(f *testing.F) {
	f.Add(".", "")
	f.Add("a/b", "../../c/")
	f.Add("a", "/x/./y//..")
	f.Add("\xff", " \xfe\\ ")
	f.Fuzz(func(t *testing.T, cwd, arg string) {
		if !validName(cwd) || !showable(cwd) {
			t.Skip("no session is in such a directory")
		}
		name, err := resolve(cwd, arg)
		if err != nil {
			if showable(arg) {
				t.Fatalf("resolve(%q, %q) = %v", cwd, arg, err)
			}
			return
		}
		if !validName(name) || !showable(name) {
			t.Fatalf("resolve(%q, %q) = %q, not a valid name", cwd, arg, name)
		}
		if utf8.ValidString(name) && !fs.ValidPath(name) {
			t.Fatalf("resolve(%q, %q) = %q, which fs.ValidPath refuses", cwd, arg, name)
		}
		// A name is its own absolute path, wherever the client stands.
		if again, err := resolve(cwd, "/"+name); err != nil || again != name {
			t.Fatalf("resolve(%q, %q) = %q, %v; want it unchanged", cwd, "/"+name, again, err)
		}
		// What a 257 reply carries names the same entry.
		text, rest, isQuoted := cutQuoted(quote(name))
		if again, err := resolve("elsewhere", text); !isQuoted || rest != "" || err != nil || again != name {
			t.Fatalf("quote(%q) = %s, which reads as %q", name, quote(name), text)
		}
	})
}
