package importer

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"

	"ferry/auth"
	"ferry/config"
	"ferry/serve/users"
)

const (
	apr1 = "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/" // sesame
	md5  = "$1$xy$uSQQR8b.qYEbmdUZ57w90."
)

// check imports a text, and compares the file and what is left.
func check(t *testing.T, from, text, want string, left ...string) {
	t.Helper()
	got, rest, err := Import(from, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Join(rest, "\n") != strings.Join(left, "\n") {
		t.Errorf("left\n%s\nwant\n%s", strings.Join(rest, "\n"), strings.Join(left, "\n"))
	}
}

func TestHtpasswd(t *testing.T) {
	check(t, "htpasswd", "# users\nbob:"+apr1+":a comment\r\n\nann:"+md5+"\nold:rqXexS6ZhobKA\na/b:"+apr1+"\nbob:"+md5+"\n",
		"[users.bob]\npassword = '"+apr1+"'\n\n[users.ann]\npassword = '"+md5+"'\n\n[users.old]\n",
		`'a/b': left out: "a/b" cannot be a name: it holds '/' (no / \ : ] { } and no control characters)`,
		"bob: left out: the name was there before",
		"old: password: a password in plain text, or a hash of a kind that is not known, is not accepted: make one with `ferry users hash`",
	)
}

func TestPasswd(t *testing.T) {
	check(t, "passwd", "bob:"+md5+":1000:1000:Bob,,,:/srv/bob:/bin/false\nann:!"+md5+":1:1::/srv/./ann:\neve:x:1:1::/srv/{user}:\n",
		"[users.bob]\npassword = '"+md5+"'\nremote = '/srv/bob'\nnote = 'Bob'\n\n[users.ann]\ndisabled = true\nremote = '/srv'\nstart = '/ann'\n\n[users.eve]\ndisabled = true\n",
		"bob, ann, eve: uid and gid: all files belong to the user that ferry runs as",
		"ann: there is no password, or it is locked; disabled for that",
		"eve: the hash is in another file (shadow): ferry users passwd sets a password",
		`eve: the home "/srv/{user}" is no directory here: set remote; disabled for that`,
	)
	if _, _, err := Import("passwd", []byte("bob:x\n")); err == nil || !strings.Contains(err.Error(), "line 1: 2 fields") {
		t.Errorf("got %v", err)
	}
}

func TestPureDB(t *testing.T) {
	check(t, "puredb", "bob:"+md5+":1000:1000::/srv/bob/./:1024:2048:::3:500:1048576:::10.0.0.0/8,192.168.1.7:10.1.0.0/16:0800-1800\n"+
		"ann:"+md5+":1:1::/srv/ann:::1:1::::::example.org::\n"+
		"eve:"+md5+":1:1::/srv/eve::::::::127.0.0.1:::\n"+
		"may:"+md5+":1:1::/srv/may:fast:::::::::::noon\n",
		"[users.bob]\npassword = '"+md5+"'\nremote = '/srv/bob'\nrate_up = '1024B'\nrate_down = '2048B'\nmax_sessions = 3\nquota_files = 500\nquota_bytes = '1048576B'\nallow = ['10.0.0.0/8', '192.168.1.7']\ndeny = ['10.1.0.0/16']\nhours = ['08:00-18:00']\n\n"+
			"[users.ann]\npassword = '"+md5+"'\nremote = '/srv/ann'\ndisabled = true\n\n"+
			"[users.eve]\npassword = '"+md5+"'\nremote = '/srv/eve'\ndisabled = true\n\n"+
			"[users.may]\npassword = '"+md5+"'\nremote = '/srv/may'\ndisabled = true\n",
		"bob, ann, eve, may: uid and gid: all files belong to the user that ferry runs as",
		"ann: a ratio of uploads to downloads: there is none here",
		`ann: allow: "example.org" is no address: a host name cannot be said; disabled for that`,
		"eve: addresses of the server that the user may log in at (fields 14 and 15); disabled for that",
		"may: field 7 is not a number; disabled for that",
		`may: the time "noon" is not HHMM-HHMM; disabled for that`,
	)
	if _, _, err := Import("puredb", []byte("PDB2xxxx")); err == nil || !strings.Contains(err.Error(), "compiled") {
		t.Errorf("got %v", err)
	}
}

func TestAuthProxy(t *testing.T) {
	answer := `{"type": "sftp", "_root": "in", "_obscure": "pass", "user": "bob", "pass": "it's, a \"pass\"", "host": "nas"}`
	for name, text := range map[string]string{
		"one": answer, "two": answer + "\n" + strings.Replace(answer, `"bob"`, `"ann"`, 1), "array": "[" + answer + "]", "by name": `{"bob": ` + answer + "}",
	} {
		file, left, err := Import("rclone-auth-proxy", []byte(text))
		if err != nil || len(left) != 1 || !strings.Contains(left[0], "did not tell it") {
			t.Errorf("%s: %v, %v", name, left, err)
			continue
		}
		f, err := users.Parse("x", file)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := f.User("bob")
		r, err := config.ParseRemote(u.Remote)
		if err != nil {
			t.Fatal(err)
		}
		pass, err := config.Reveal(r.Params["pass"])
		if err != nil || pass != `it's, a "pass"` || r.Type != "sftp" || r.Params["host"] != "nas" || r.Params["user"] != "bob" || r.Path != "in" || len(r.Params) != 3 {
			t.Errorf("%s: %s is %v with %q, %v", name, u.Remote, r, pass, err)
		}
	}
	for _, text := range []string{"", "x", "{}", `{"type": "sftp"}`, `[{"user": "bob"}]`, `{"bob": {"user": "bob"}}`, "3"} {
		if _, _, err := Import("rclone-auth-proxy", []byte(text)); err == nil {
			t.Errorf("%q is imported", text)
		}
	}
	file, _, err := Import("rclone-auth-proxy", []byte(strings.Replace(answer, "nas", "{password}", 1)))
	if err != nil || !strings.Contains(string(file), "disabled = true") || strings.Contains(string(file), "{password}") {
		t.Errorf("braces become %s, %v", file, err)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, _, err := Import("ldap", nil); err == nil || !strings.Contains(err.Error(), "sftpgo, htpasswd") {
		t.Errorf("got %v", err)
	}
}

// The forms in which SFTPGo writes PBKDF2.
func TestHashesOfSFTPGo(t *testing.T) {
	const salt = "E86a9YMX3zC7E86a"
	for kind, h := range map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New} {
		sum, err := pbkdf2.Key(h, "sesame", []byte(salt), 150_000, h().Size())
		if err != nil {
			t.Fatal(err)
		}
		encode := base64.StdEncoding.EncodeToString
		for _, theirs := range []string{
			fmt.Sprintf("$pbkdf2-%s$150000$%s$%s", kind, salt, encode(sum)),
			fmt.Sprintf("$pbkdf2-b64salt-%s$150000$%s$%s", kind, encode([]byte(salt)), encode(sum)),
		} {
			if right, err := auth.Verify(goHash(theirs), "sesame"); err != nil || !right {
				t.Errorf("%s became %s: %v, %v", theirs, goHash(theirs), right, err)
			}
		}
	}
	for _, same := range []string{apr1, "$pbkdf2-sha256$x", "$2a$10$abc", "", "$pbkdf2-sha256$1$a$not base64"} {
		if got := goHash(same); got != same {
			t.Errorf("%q became %q", same, got)
		}
	}
}

// FuzzImport looks that what is imported can be read, whatever it is made of.
func FuzzImport(f *testing.F) {
	for i, text := range []string{
		dump, "bob:" + apr1, "bob:" + md5 + ":1:1:x:/srv/bob/./in:/bin/sh",
		"bob:" + md5 + ":1000:1000::/srv/bob/./:1024:2048:::3:500:1048576:::10.0.0.0/8,192.168.1.7:10.1.0.0/16:0800-1800\n",
		`{"bob": {"type": "sftp", "_root": "in", "_obscure": "pass", "pass": "x", "host": "nas"}}`,
	} {
		f.Add(i, []byte(text))
	}
	f.Fuzz(func(t *testing.T, format int, text []byte) {
		names := Formats()
		from := names[(format%len(names)+len(names))%len(names)]
		file, _, err := Import(from, text)
		if err != nil {
			if users.Errors(err) != nil {
				t.Fatalf("%s: %q becomes what cannot be read: %v", from, text, err)
			}
			return
		}
		if _, err := users.Parse("x", file); err != nil {
			t.Errorf("%s: %q became %q: %v", from, text, file, err)
		}
	})
}
