package users

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// plain turns what decode returns into what the library's decoder does.
func plain(v any) any {
	switch v := v.(type) {
	case *branch:
		m := map[string]any{}
		for k, one := range v.values {
			m[k] = plain(one)
		}
		return m
	case *branches:
		return plain(v.list)
	case []any:
		list := []any{}
		for _, one := range v {
			list = append(list, plain(one))
		}
		return list
	}
	return v
}

// compareDecoders looks whether decode reads a text as the library does.
func compareDecoders(t *testing.T, text []byte) {
	t.Helper()
	want := map[string]any{}
	theirs := toml.Unmarshal(text, &want)
	got, ours := decode(text)
	if (theirs == nil) != (ours == nil) {
		t.Errorf("%q: got %v, want %v", text, ours, theirs)
	}
	if theirs != nil || ours != nil || bytes.Contains(text, []byte("nan")) { // which no value equals
		return
	}
	if got := plain(got); !reflect.DeepEqual(got, want) {
		t.Errorf("%q\ngot  %v\nwant %v", text, got, want)
	}
}

func TestDecodeAsTheLibrary(t *testing.T) {
	for _, text := range []string{
		"", everything,
		"a = 1\na = 2", "a.b = 1\na.c = 2", "a.b = 1\na.b.c = 2", "a = 1\na.b = 2", "a = {b = 1}\na.c = 2", "a = {b.c = 1, b.d = 2}",
		"a = {b = 1, b = 2}", "a = {b.c = 1, b = 2}", "a = [1]\n[[a]]", "a = []\n[a]", "[a]\n[a]", "[a.b]\n[a]", "[a.b]\n[a]\n[a]", "[a]\n[[a]]",
		"[[a]]\n[a]", "[[a]]\n[[a]]\nb = 1\n[a.c]\nd = 1\n[[a]]\n[a.c]\nd = 2", "[[a.b]]\n[a.b.c]\n[[a.b.c]]", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1",
		"[a.b.c]\nz = 9\n[a]\nb.x = 1", "[a]\nb.c = 1\n[a.b]", "[a]\nb.c = 1\n[a.b.d]\nx = 1", "b.c = 1\n[b.d]", "b.c = 1\n[[b]]", "a = {}\n[a.b]",
		"[[a]]\na.b = 1", "x = 0x1F\ny = 1_000\nz = 1e3\nu = -inf\nd = 2027-01-31\ne = 2027-01-31T10:00:00\nf = 2027-01-31 10:00:00Z\ng = 10:00:00\nh = '''\na'''\ni = \"\\u00e9\"",
		"x = 01", "x = 2027-13-01", "x = 99999999999999999999", "x = [1, [2, {a = 3}], 'x',]", "x = [1 2]", "'' = 1", "a.\"b.c\" = 1", "x = {a = 1,}", "x = \"\xff\"", "=",
		"x = 2027-02-30", "x = 25:00:00", "x = 1__0", "x = 0b2", "x = [", "x = {", "[", "[[", "[[a]", "x", "x =", "[a]]", "x = 1 y = 2", "x = 1\r\ny = 2\r", "\x00",
	} {
		compareDecoders(t, []byte(text))
	}
}

// FuzzParse looks that no text makes Parse fail in another way than by mistakes with a place, and
// that it reads TOML as the library does.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("[users.a]\nremote = '/{user}'\n[[users.a.patterns]]\ndeny = ['*.x']\n[users.a.mounts]\n'/x' = {remote = 'nas:', read_only = true}\n"))
	f.Add([]byte("[users]\na = {password = ['x', {hash = 'y', expires = 2027-01-01}], permissions = {'/' = 'all'}}\n"))
	f.Add([]byte("users.a.hours = ['Mon-Fri 08:00-18:00']\nusers.a.allow = '10.0.0.0/8'\ngroups.g.umask = '022'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		compareDecoders(t, bytes.TrimPrefix(text, bom))
		file, err := Parse("f", text)
		if err != nil {
			list := Errors(err)
			if len(list) == 0 {
				t.Fatalf("%q: %v is no mistake", text, err)
			}
			for _, e := range list {
				if e.Line == 0 && len(list) <= maxErrors {
					t.Errorf("%q: %v has no place", text, e)
				}
			}
			return
		}
		for _, name := range file.Names() {
			u, _ := file.User(name)
			if !u.Same(u) {
				t.Errorf("%q: %s differs from itself", text, name)
			}
			if _, ok := file.Explain(name); !ok {
				t.Errorf("%q: %s is not explained", text, name)
			}
			if u.Remote != "" {
				if _, err := u.Expand(u.Remote); err != nil && len(u.Home) == 0 && u.Remote[0] != '{' {
					t.Errorf("%q: %s: %v", text, name, err)
				}
			}
		}
	})
}
