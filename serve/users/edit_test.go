package users

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func editor(t *testing.T, text string) *Editor {
	t.Helper()
	e, err := NewEditor("users.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const (
	oldHash = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
	newHash = "$1$xy$uSQQR8b.qYEbmdUZ57w90."
)

func TestSetPassword(t *testing.T) {
	tests := []struct {
		name, text, want string
		keep             bool
	}{
		{name: "one", text: "# top\n[users.a]\n  password  =  'OLD' # mine\nnote = 'x'\n", want: "# top\n[users.a]\n  password  =  'NEW' # mine\nnote = 'x'\n"},
		{name: "several", text: "[users.a]\npassword = [ 'OLD', # first\n  {hash = 'OLD'} ]\n", want: "[users.a]\npassword = 'NEW'\n"},
		{name: "one is kept", keep: true, text: "[users.a]\npassword = \"OLD\"\n", want: "[users.a]\npassword = ['NEW', \"OLD\"]\n"},
		{name: "a table is kept", keep: true, text: "[users.a]\npassword = {hash = 'OLD', expires = 2027-01-01}\n", want: "[users.a]\npassword = ['NEW', {hash = 'OLD', expires = 2027-01-01}]\n"},
		{name: "several are kept", keep: true, text: "[users.a]\npassword = [ 'OLD', # first\n 'OLD' ]\n", want: "[users.a]\npassword = ['NEW',  'OLD', # first\n 'OLD' ]\n"},
		{name: "none is kept", keep: true, text: "[users.a]\npassword = []\n", want: "[users.a]\npassword = ['NEW']\n"},
		{name: "a first one", text: "[users.b]\n[users.a] # gate\nnote = 'x'\n", want: "[users.b]\n[users.a] # gate\npassword = 'NEW'\nnote = 'x'\n"},
		{name: "indented", text: "[users]\n\t[users.a]\n\tnote = 'x'\n", want: "[users]\n\t[users.a]\n\tpassword = 'NEW'\n\tnote = 'x'\n"},
		{name: "the last line", text: "[users.a]", want: "[users.a]\npassword = 'NEW'\n"},
		{name: "CRLF", text: "[users.a]\r\nnote = 'x'\r\n", want: "[users.a]\r\npassword = 'NEW'\r\nnote = 'x'\r\n"},
		{name: "in braces", text: "[users]\na = {note = 'x'}\n", want: "[users]\na = {password = 'NEW', note = 'x'}\n"},
		{name: "in empty braces", text: "users = {a = { }}\n", want: "users = {a = {password = 'NEW' }}\n"},
		{name: "in braces with one", text: "users = {a = {password = 'OLD', note = 'x'}}\n", want: "users = {a = {password = 'NEW', note = 'x'}}\n"},
		{name: "dotted", text: "users.a.password = 'OLD'\n", want: "users.a.password = 'NEW'\n"},
		{name: "parts alone", text: "[users.a.permissions]\n'/' = 'all'\n", want: "[users.a.permissions]\n'/' = 'all'\n\n[users.a]\npassword = 'NEW'\n"},
		{name: "quoted", text: "[users.\"a\"]\n[users.'b c']\n", want: "[users.\"a\"]\npassword = 'NEW'\n[users.'b c']\n"},
	}
	hashes := strings.NewReplacer("OLD", oldHash, "NEW", newHash)
	for _, tt := range tests {
		e := editor(t, hashes.Replace(tt.text))
		if err := e.SetPassword("a", newHash, tt.keep); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := string(e.Bytes()); got != hashes.Replace(tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, hashes.Replace(tt.want))
		}
	}
}

// What an edit cannot do it leaves.
func TestEditsThatFail(t *testing.T) {
	tests := []struct {
		name, text, want string
		edit             func(e *Editor) error
	}{
		{"nobody", "[users.b]\n", `there is no user "a"`, func(e *Editor) error { return e.SetPassword("a", newHash, false) }},
		{"a table of passwords", "[[users.a.password]]\nhash = '" + oldHash + "'\n", "users.toml:1:11: the password is written as a table of its own", func(e *Editor) error { return e.SetPassword("a", newHash, false) }},
		{"dots alone", "users.a.note = 'x'\n", "by hand", func(e *Editor) error { return e.SetPassword("a", newHash, false) }},
		{"no hash", "[users.a]\n", "password", func(e *Editor) error { return e.SetPassword("a", "plain", false) }},
		{"twice", "[users.a]\n", "is there already", func(e *Editor) error { return e.Add("a", nil) }},
		{"a bad name", "", "cannot be a name", func(e *Editor) error { return e.Add("a/b", nil) }},
		{"users in braces", "users = {}\n", "by hand", func(e *Editor) error { return e.Add("a", nil) }},
		{"a bad value", "", "is not a time zone", func(e *Editor) error { return e.Add("a", []Setting{{"timezone", "'x'"}}) }},
		{"more than a value", "", "by hand", func(e *Editor) error { return e.Add("a", []Setting{{"note", "'x'\n[users.b]"}}) }},
		{"remove nobody", "[users.b]\n", `there is no user "a"`, func(e *Editor) error { return e.Remove("a") }},
		{"remove from braces", "users = {a = {}, b = {}}\n", "users.toml:1:1: the user stands in a table in braces", func(e *Editor) error { return e.Remove("a") }},
	}
	for _, tt := range tests {
		e := editor(t, tt.text)
		if err := tt.edit(e); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
		if got := string(e.Bytes()); got != tt.text {
			t.Errorf("%s: the text became %q", tt.name, got)
		}
	}
	if _, err := NewEditor("x", []byte("[users.a]\nx = 1\n")); err == nil {
		t.Error("a file with mistakes is edited")
	}
}

func TestAdd(t *testing.T) {
	settings := []Setting{{"password", tomlString(newHash)}, {"groups", TOMLStrings([]string{"g"})}, {"note", TOMLString("it's \"x\"\n")}}
	for text, want := range map[string]string{
		"":                                "[users.'b c']\npassword = '" + newHash + "'\ngroups = ['g']\nnote = \"it's \\\"x\\\"\\u000A\"\n",
		"[groups.g]\n":                    "[groups.g]\n\n[users.'b c']\npassword = '" + newHash + "'\ngroups = ['g']\nnote = \"it's \\\"x\\\"\\u000A\"\n",
		"[users.a] # no line end at last": "[users.a] # no line end at last\n\n[users.'b c']\npassword = '" + newHash + "'\ngroups = ['g']\nnote = \"it's \\\"x\\\"\\u000A\"\n",
	} {
		s := settings
		if !strings.Contains(text, "groups") {
			s = []Setting{settings[0], settings[2]}
			want = strings.Replace(want, "groups = ['g']\n", "", 1)
		}
		e := editor(t, text)
		if err := e.Add("b c", s); err != nil {
			t.Error(err)
		}
		if got := string(e.Bytes()); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestRemove(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"the only one", "[users.a]\nnote = 'x'\n", ""},
		{"between others",
			"# the file\n\n[defaults]\n\n# ann's\n[users.b]\nnote = 'b'\n\n# about a\n# more\n[users.a] # gate\n# in it\nnote = 'x'\n# after it\n\n[users.a.permissions]\n'/' = 'all'\n\n# about c\n[users.c]\n",
			"# the file\n\n[defaults]\n\n# ann's\n[users.b]\nnote = 'b'\n\n# about c\n[users.c]\n"},
		{"the last", "[users.b]\n\n# of a\n[users.a]\nnote = 'x'\n\n\n", "[users.b]\n"},
		{"the first", "[users.a]\nnote = 'x'\n\n[users.b]\n", "[users.b]\n"},
		{"a comment of the next", "[users.a]\nnote = 'x'\n# of b\n[users.b]\n", "# of b\n[users.b]\n"},
		{"in two places", "[users.a]\n[users.b]\n[users.a.mounts]\n'/x' = 'y'\n[users.c]\n", "[users.b]\n[users.c]\n"},
		{"arrays", "[[users.a.patterns]]\ndeny = ['x']\n[[users.a.patterns]]\ndeny = ['y']\n[[users.b.patterns]]\ndeny = ['z']\n", "[[users.b.patterns]]\ndeny = ['z']\n"},
		{"in braces", "[users]\na = {note = 'x'}\nb = {note = '''\n# y'''}\n", "[users]\nb = {note = '''\n# y'''}\n"},
		{"dots", "users.a.note = 'x'\nusers.b.note = 'y'\nusers.a.auth = 'hash'\n", "users.b.note = 'y'\n"},
		{"a name that begins so", "[users.ab]\n[users.a]\n[users.a-b]\n", "[users.ab]\n[users.a-b]\n"},
		{"over lines", "[users.a]\nallow = [\n  '10.0.0.0/8', # x\n]\n[users.b]", "[users.b]"},
	}
	for _, tt := range tests {
		e := editor(t, tt.text)
		if err := e.Remove("a"); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := string(e.Bytes()); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestEdit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.toml")
	add := func(name string) func(e *Editor) error {
		return func(e *Editor) error { return e.Add(name, nil) }
	}
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := Edit(path, add("a")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("a new file is %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Edit(path, add("b")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
	if got := read(); got != "[users.a]\n\n[users.b]\n" {
		t.Errorf("the file is %q", got)
	}

	// somebody else is quicker
	err := Edit(path, func(e *Editor) error {
		if err := Edit(path, add("c")); err != nil {
			t.Fatal(err)
		}
		return e.Add("d", nil)
	})
	if err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("got %v", err)
	}
	if got := read(); !strings.Contains(got, "users.c") || strings.Contains(got, "users.d") {
		t.Errorf("the file is %q", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func TestEditKeepsTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.toml")
	const marked = "\xef\xbb\xbf[users.a]\r\n"
	if err := os.WriteFile(path, []byte(marked), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Edit(path, func(e *Editor) error { return e.Add("b", nil) }); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); got != marked+"\r\n[users.b]\r\n" {
		t.Errorf("the file is %q", got)
	}
}

// FuzzEdit looks that an edit changes one user, and nothing else.
func FuzzEdit(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("[users.a]\n# x\n[users.b]\npassword = '" + oldHash + "'\n"))
	f.Add([]byte("users.a.note = 'x'\n[users.b]\nnote = '''\n[users.a]'''\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before, err := Parse("f", text)
		if err != nil {
			return
		}
		for _, name := range before.Names() {
			for what, edit := range map[string]func(e *Editor) error{
				"remove": func(e *Editor) error { return e.Remove(name) },
				"set":    func(e *Editor) error { return e.SetPassword(name, oldHash, false) },
				"keep":   func(e *Editor) error { return e.SetPassword(name, oldHash, true) },
			} {
				e, err := NewEditor("f", text)
				if err != nil {
					t.Fatal(err)
				}
				if edit(e) != nil {
					continue
				}
				after, err := Parse("f", e.Bytes())
				if err != nil {
					t.Fatalf("%s %s of %q: %v", what, name, text, err)
				}
				if _, there := after.users[name]; there == (what == "remove") {
					t.Errorf("%s of %q leaves %q", what, text, e.Bytes())
				}
				if what != "remove" && after.effective(name, after.users[name]).Passwords[0].Hash != oldHash {
					t.Errorf("%s of %q sets no password: %q", what, text, e.Bytes())
				}
				added, _, removed := before.Changes(after)
				if len(added) > 0 || len(removed) > 1 {
					t.Errorf("%s of %q changes others: %q", what, text, e.Bytes())
				}
			}
		}
	})
}
