package serverconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
	"ferry/serve/users"
)

// A sample is another value of a flag than its default: how a file writes it, and what it is on the
// command line.
type sample struct {
	toml string
	args []string
}

// samples are for the kinds of values, and for those flags whose values are special.
func samples() map[string]sample {
	return map[string]sample{
		"bool": {`true`, []string{"true"}}, "count": {`2`, []string{"2"}},
		"int": {`7`, []string{"7"}}, "uint32": {`1234`, []string{"1234"}}, "float": {`2.5`, []string{"2.5"}},
		"SizeSuffix": {`"3M"`, []string{"3M"}}, "duration": {`"11s"`, []string{"11s"}},
		"FileMode": {`"0750"`, []string{"0750"}}, "ports": {`"4000-4005"`, []string{"4000-4005"}},
		"durations": {`["7s", "8m"]`, []string{"7s,8m"}}, "host:port": {`["127.0.0.1:1", "127.0.0.1:2"]`, []string{"127.0.0.1:1", "127.0.0.1:2"}},
		"string": {`"text"`, []string{"text"}}, "file": {`"/abs/file"`, []string{"/abs/file"}},
		"paths": {`["/abs/a.pem", "/abs/b.pem"]`, []string{"/abs/a.pem", "/abs/b.pem"}}, "servers": {`["nats://a:4222", "tls://b"]`, []string{"nats://a:4222", "tls://b"}}, "network": {`["10.0.0.0/8", "192.0.2.1"]`, []string{"10.0.0.0/8", "192.0.2.1"}},
		"event=target": {`["delete=/bin/true -x", "login=http://localhost/"]`, []string{"delete=/bin/true -x", "login=http://localhost/"}},
		"header":       {`["X-A: 1", "X-B: 2, 3"]`, []string{"X-A: 1", "X-B: 2, 3"}}, "URL": {`"http://proxy:3128"`, []string{"http://proxy:3128"}},
		"BwTimetable": {`["08:00,512", "19:00,off"]`, []string{"08:00,512 19:00,off"}}, "pattern": {`["*.{a,b}", "c"]`, []string{"*.{a,b}", "c"}},
		"rule": {`["- *.tmp", "+ a,b"]`, []string{"- *.tmp", "+ a,b"}}, "name": {`[".no"]`, []string{".no"}},
		"command": {`["cat", "/a file"]`, []string{`cat "/a file"`}}, "origin": {`"https://a.example"`, []string{"https://a.example"}},
		"public-ip": {`["10.0.0.0/8=10.1.2.3", "default=ftp.example.org"]`, []string{"10.0.0.0/8=10.1.2.3,default=ftp.example.org"}},
		"rc-addr":   {`["unix:///run/ferry.sock", ":5573"]`, []string{"unix:///run/ferry.sock", ":5573"}},
		"bind":      {`"127.0.0.1"`, []string{"127.0.0.1"}}, "ask-password": {`false`, []string{"false"}},
		"transfers": {`9`, []string{"9"}}, "min-tls-version": {`"1.3"`, []string{"1.3"}}, "log-format": {`"json"`, []string{"json"}},
		"acme-http-addr": {`":8080"`, []string{":8080"}}, "acme-tls-alpn-addr": {`"off"`, []string{"off"}},
		"acme":        {`["a.example", "b.example"]`, []string{"a.example", "b.example"}},
		"cluster":     {`["nats://h1:4222", "tls://h2"]`, []string{"nats://h1:4222", "tls://h2"}},
		"change-feed": {`["nats://h:4222/s", "kafka://h:9092/t"]`, []string{"nats://h:4222/s", "kafka://h:9092/t"}},
		"cert":        {`["/abs/a.pem", "/abs/b.pem"]`, []string{"/abs/a.pem", "/abs/b.pem"}},
	}
}

// sampleOf returns that of a row: of its name, of its kind, or the last of a few words.
func sampleOf(t *testing.T, row flags.Flag) sample {
	t.Helper()
	all := samples()
	if s, ok := all[row.Key()]; ok {
		return s
	}
	kind := row.Value.Type()
	if s, ok := all[kind]; ok {
		return s
	}
	words := strings.Split(kind, "|")
	if len(words) < 2 {
		t.Fatalf("--%s has a value of kind %q, of which this test knows none", row.Key(), kind)
	}
	word := words[len(words)-1]
	if word == row.Default {
		word = words[0]
	}
	return sample{fmt.Sprintf("%q", word), []string{word}}
}

// values resolves flags as ferry serve ftp does, and returns their table.
func values(t *testing.T, file map[string]flags.Said, args ...string) []flags.Group {
	t.Helper()
	o := &flags.Options{}
	groups := flags.All(o)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.Add(fs, groups...)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	if _, err := (flags.Sources{File: file}).Resolve(fs, groups...); err != nil {
		t.Fatal(err)
	}
	return groups
}

// A file with every flag is the same as a command line with every flag, in sections and without.
func TestEveryFlagRoundTrips(t *testing.T) {
	for _, sections := range []bool{true, false} {
		var text strings.Builder
		var args, names []string
		for _, g := range flags.All(&flags.Options{}) {
			if g.IsHidden() {
				continue
			}
			if sections {
				fmt.Fprintf(&text, "[%s]\n", g.Section())
			}
			for _, row := range g.Flags {
				if row.Key() == "server-config" {
					continue
				}
				s := sampleOf(t, row)
				fmt.Fprintf(&text, "%s = %s\n", row.Key(), s.toml)
				for _, arg := range s.args {
					args = append(args, "--"+row.Key()+"="+arg)
				}
				names = append(names, row.Key())
			}
		}
		f, err := Parse("/etc/ferry/ferry.toml", []byte(text.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		if differ := flags.Differ(values(t, nil, args...), values(t, f.Said)); len(differ) > 0 {
			t.Errorf("sections %v: %v are not what the command line makes of them", sections, differ)
		}
		for _, name := range flags.Differ(values(t, nil), values(t, f.Said)) {
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		}
		if len(names) > 0 {
			t.Errorf("sections %v: %v have their defaults, so that nothing shows whether the file counts", sections, names)
		}
	}
}

// A mistake is told with its line, and what is right; all of them come together.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"adr = 1":                                    "1:1: there is no key adr here: did you mean addr?",
		"[server]\nmax_sessions = 1":                 "2:1: there is no key max_sessions here: did you mean max-sessions?",
		"[sever]\nmax-sessions = 1":                  "1:2: there is no key sever here: did you mean server?",
		"[tls]\nmax-sessions = 1":                    "2:1: max-sessions does not belong into [tls]: put it into [server], or above all sections",
		"max-sessions = \"3\"":                       "1:16: max-sessions: a number, without quotes, is expected here, and this is a string",
		"max-sessions = true":                        "a number, without quotes, is expected here, and this is true or false",
		"max-sessions = -1":                          `1:16: max-sessions: "-1": use a number from 0 to 4294967295`,
		"read-only = \"yes\"":                        "1:13: read-only: true or false, without quotes, is expected here, and this is a string",
		"idle-timeout = 300":                         `a duration with its unit, as "90s", "5m" or "off", is expected here, and this is a number`,
		"buffer-size = 16":                           `a size with its unit, as "16M" or "off", is expected here, and this is a number`,
		"umask = 0o22":                               `a mode, which is octal, so a string as "0755", is expected here, and this is a number`,
		"user = [\"a\"]":                             `a string ("...") is expected here, and this is an array`,
		"addr = [1]":                                 "an array of strings is expected here",
		"addr = [\"x\"]":                             `addr: "x": not an address: use HOST:PORT or :PORT`,
		"vfs-cache-mode = \"all\"":                   `"all": not a cache mode: use off, minimal, writes, full`,
		"min-tls-version = 1.2":                      `"1.0", "1.1", "1.2", "1.3" is expected here, and this is a number with a point`,
		"addr = 2027-01-31":                          "and this is a date",
		"user.name = \"x\"":                          "and this is a table",
		"addr = \":1\"\n[server]\naddr = \":2\"":     "3:1: addr is there twice, also in line 1: remove one",
		"server-config = \"x\"":                      "1:1: one file is read, and this is it",
		"memprofile = \"x\"":                         "1:1: memprofile has no effect here: profiles are not written",
		"remote = 1":                                 "remote: a string is expected here",
		"remote = \":s3\"":                           "remote: \":s3\" begins with a colon",
		"remote = \"a\"\n[vfs]\nremote = \"b\"":      "3:1: there is no key remote here",
		"users = \"u.toml\"\n[defaults]":             "2:2: there is no [users.NAME] in this file that [defaults] could count for",
		"users = 1":                                  "users: a string (\"...\") is expected here, and this is a number",
		"[server]\nusers = \"u\"\n[users.bob]":       "2:1: the users are in u, and in tables of this file",
		"[users.bob]\nremot = \"x\"":                 "2:1: there is no key remot here: did you mean remote?",
		"[users.bob]\nremote = 1":                    "2:10: remote: a string (\"...\") is expected here",
		"version = 2":                                "this ferry reads version 1",
		"addr = ":                                    "1:7: this is not TOML",
		"http-proxy = \"secret://x\"":                "1:14: http-proxy: is not the URL of a proxy",
		"header = [\"secret\"]":                      "1:10: header: is not a line of a request",
		"[hooks]\nx = 1\n[vfs]\nread-only = \"x\"":   "4:13: read-only",
		"[s3]\nregion = \"x\"":                       "there is no key s3 here",
		"[server]\ns3-region = \"x\"":                "there is no key s3-region here",
		"s3-regoin = \"x\"":                          "there is no key s3-regoin here",
		"public-ip = [\"1.2.3.4\", \"10.0.0.0/8\"]":  "public-ip",
		"[users.bob]\npassword = \"x\"\n[vfs]\nno=1": "4:1: there is no key no here",
	} {
		_, err := Parse("f.toml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.toml:") || strings.Contains(err.Error(), "\"secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_, err := Parse("f.toml", []byte("addr = 1\n[users.bob]\nx = 1\n[vfs]\nread-only = 3\n"))
	if list := users.Errors(err); len(list) != 3 || list[0].Line != 1 || list[1].Line != 3 || list[2].Line != 5 {
		t.Errorf("got %v", err)
	}
}

// What a file names is beside it; what is served too, if it is a directory of this machine.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	f, err := Parse("/etc/ferry/ferry.toml", []byte("cert = [\"tls/a.pem\", \"/b.pem\"]\nusers = \"users.toml\"\nfilter-from = [\"-\", \"f\"]\n"+
		"config = \"notfound\"\n[remote]\nremote = \"../scans\"\ns3-region = \"eu\"\ns3-force-path-style = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cert": "/etc/ferry/tls/a.pem /b.pem", "users": "/etc/ferry/users.toml", "filter-from": "- /etc/ferry/f", "config": "notfound",
		"s3-region": "eu", "s3-force-path-style": "true",
	} {
		if got := strings.Join(f.Said[name].Texts, " "); filepath.ToSlash(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if filepath.ToSlash(f.Remote) != "/etc/scans" || f.Line != 6 {
		t.Errorf("the remote is %q, line %d", f.Remote, f.Line)
	}
	for _, what := range []string{"nas:scans", ":memory:", "/srv/ftp"} {
		if f, err := Parse("/etc/ferry/ferry.toml", []byte("remote = '"+what+"'")); err != nil || f.Remote != what {
			t.Errorf("%q becomes %+v, %v", what, f, err)
		}
	}
}

// Secret says whether others may read the file.
func TestAFileWithSecrets(t *testing.T) {
	for text, want := range map[string]bool{
		"addr = \":1\"":                false,
		"pass = \"x\"":                 true,
		"rc-pass = \"x\"":              true,
		"header = \"X-Key: x\"":        true,
		"[users.bob]":                  true,
		"s3-secret-access-key = \"x\"": true,
		"remote = \":sftp,host=h,pass=secretsecret:x\"":  true,
		"remote = \"nas:scans\"\nusers = \"users.toml\"": false,
	} {
		if f, err := Parse("f.toml", []byte(text)); err != nil || f.Secret != want {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

func TestTheUsersOfAFile(t *testing.T) {
	f, err := Parse("f.toml", []byte("version = 1\nremote = \"nas:\"\n[defaults]\nquota_bytes = \"1G\"\n[users.bob]\nmax_sessions = 2\n[vfs]\nread-only = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	u, ok := f.Users.User("bob")
	if !ok || u.MaxSessions != 2 || u.QuotaBytes != 1<<30 {
		t.Errorf("got %+v, %v", u, ok)
	}
	f, err = Parse("f.toml", []byte("[[hooks]]\nname = \"a\"\nevents = [\"login\"]\nurl = \"https://example.org/\"\n"))
	if err != nil || f.Users != nil || len(f.Tables.Hooks()) != 1 || !f.Secret {
		t.Errorf("hooks: %+v, %v", f, err)
	}
}

// Where a value of a user stands is told by the line of this file.
func TestUsersAreExplainedByLinesOfTheFile(t *testing.T) {
	f, err := Parse("f.toml", []byte("remote = \"nas:\"\n[users.bob]\nmax_sessions = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	values, _ := f.Users.Explain("bob")
	if len(values) == 0 || values[0].File != "f.toml" || values[0].Line == 0 {
		t.Errorf("got %+v", values)
	}
}

func TestReadSaysWhyAFileCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "--server-config") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	name := filepath.Join(dir, "f.toml")
	if err := os.WriteFile(name, []byte("\xef\xbb\xbfaddr = \":1\"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Read(name); err != nil || f.Said["addr"].Where() != name+":1" {
		t.Errorf("got %+v, %v", f, err)
	}
}

// No text makes the reader fail in another way than by mistakes in the text.
func FuzzParse(f *testing.F) {
	f.Add([]byte("remote = \"x\"\naddr = [\":1\"]\n[tls]\ntls = \"self-signed\"\n[users.bob]\n[[hooks]]\nname = \"a\"\n"))
	f.Add([]byte("[remote]\nbwlimit = 1\nheader = \"a: b\"\n[filter]\nmax-depth = -1\ntpslimit = nan\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("f.toml", text)
		if err != nil {
			if len(users.Errors(err)) == 0 {
				t.Errorf("%q: %v is no mistake of the file", text, err)
			}
			return
		}
		// What was accepted has a value.
		values(t, file.Said)
	})
}

// What is shown can be written into a file, which then means the same; secrets are hidden.
func TestWhatIsShownIsAFile(t *testing.T) {
	args := []string{"--pass", "sesame", "--rc-pass=x", "--rc-user=y", "--auth-url", "https://me:hidden@host/x", "--http-proxy", "http://me:hidden@proxy"}
	for _, g := range flags.All(&flags.Options{}) {
		for _, row := range g.Flags {
			if g.IsHidden() || row.IsSecret() || row.Key() == "auth-url" || strings.HasPrefix(row.Key(), "rc-user") || row.Key() == "server-config" {
				continue
			}
			for _, arg := range sampleOf(t, row).args {
				args = append(args, "--"+row.Key()+"="+arg)
			}
		}
	}
	for _, args := range [][]string{nil, args} {
		shown := values(t, nil, args...)
		var b strings.Builder
		if err := WriteTOML(&b, Show("nas:scans", flags.Origin{By: flags.ByFlag}, shown, nil)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "sesame") || strings.Contains(b.String(), "hidden") {
			t.Errorf("a secret is shown:\n%s", b.String())
		}
		f, err := Parse("f.toml", []byte(strings.ReplaceAll(b.String(), "xxxxx", "hidden")))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if f.Remote != "nas:scans" {
			t.Errorf("the remote is %q", f.Remote)
		}
		differ := slices.DeleteFunc(flags.Differ(shown, values(t, f.Said)), func(name string) bool { return name == "pass" || name == "rc-pass" })
		if len(differ) > 0 {
			t.Errorf("%v are not what was shown:\n%s", differ, b.String())
		}
	}
}
