package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ferry/auth"
	"ferry/serve/users"
)

// A roll is a file of users that commands show and change.
type roll struct {
	t    *testing.T
	path string
}

func newRoll(t *testing.T, text string) *roll {
	t.Helper()
	r := &roll{t: t, path: filepath.Join(t.TempDir(), "users.toml")}
	if text != "" {
		if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run runs ferry users with a first line of standard input.
func (r *roll) run(stdin string, args ...string) (status int, stdout, stderr string) {
	r.t.Helper()
	var out, errs bytes.Buffer
	p := process{
		args: append([]string{"users"}, args...), env: []string{"FERRY_USERS=" + r.path, "RCLONE_CONFIG=notfound", "RCLONE_CONFIG_S3_TYPE=s3", "RCLONE_CONFIG_NAS_TYPE=sftp"},
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs,
	}
	status = p.run(r.t.Context())
	return status, out.String(), errs.String()
}

// ok runs what must succeed without a word on standard error, and returns its output.
func (r *roll) ok(stdin string, args ...string) string {
	r.t.Helper()
	status, stdout, stderr := r.run(stdin, args...)
	if status != exitOK || stderr != "" {
		r.t.Fatalf("ferry users %s: status %d\n%s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// fails runs what must fail with an error that holds want, and leave the file as it is.
func (r *roll) fails(status int, want, stdin string, args ...string) {
	r.t.Helper()
	before, _ := os.ReadFile(r.path)
	got, stdout, stderr := r.run(stdin, args...)
	if got != status || !strings.Contains(stdout+stderr, want) {
		r.t.Errorf("ferry users %s: status %d, want %d with %q\n%s", strings.Join(args, " "), got, status, want, stdout+stderr)
	}
	if after, _ := os.ReadFile(r.path); !bytes.Equal(before, after) {
		r.t.Errorf("ferry users %s changed the file:\n%s", strings.Join(args, " "), after)
	}
}

// user returns a user of the file.
func (r *roll) user(name string) users.User {
	r.t.Helper()
	f, err := users.Read(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	u, ok := f.User(name)
	if !ok {
		r.t.Fatalf("there is no user %s", name)
	}
	return u
}

// opens reports which of the passwords of a user a password is, -1 for none.
func (r *roll) opens(name, password string) int {
	r.t.Helper()
	for i, p := range r.user(name).Passwords {
		right, err := auth.Verify(p.Hash, password)
		if err != nil {
			r.t.Fatal(err)
		}
		if right {
			return i
		}
	}
	return -1
}

func TestUsersAddPasswdRm(t *testing.T) {
	r := newRoll(t, "# of the plant\n\n[groups.cams] # all\nquota_bytes = \"1G\"\n")
	if out := r.ok("sesame\nmore\n", "add", "cam 1", "remote=/srv/{user}", "groups=cams", "permissions./in=upload,mkdir",
		"permissions./=read-only", "mounts./old=/var/old", "allow=10.0.0.0/8,192.168.1.7", "max_sessions=3", "disabled=false",
		"expires=2099-01-31", "note=gate"); out != "" {
		t.Errorf("add says %q", out)
	}
	u := r.user("cam 1")
	if len(u.Policy.Rules) != 2 || len(u.Mounts) != 1 || len(u.Allow) != 2 || u.MaxSessions != 3 || u.Expires.IsZero() || u.QuotaBytes != 1<<30 {
		t.Errorf("the user is %+v", u)
	}
	if r.opens("cam 1", "sesame") != 0 || r.opens("cam 1", "sesame\nmore") >= 0 {
		t.Error("the password is another one")
	}
	r.ok("", "add", "bob", "auth=none")
	r.ok("", "add", "ann", "client_cert=cn:ann")

	r.ok("second", "passwd", "cam 1", "--keep")
	if r.opens("cam 1", "second") != 0 || r.opens("cam 1", "sesame") != 1 {
		t.Error("the passwords are others")
	}
	r.ok("third\r\n", "passwd", "cam 1", "--algo", "bcrypt")
	if r.opens("cam 1", "third") != 0 || len(r.user("cam 1").Passwords) != 1 {
		t.Error("there are other passwords")
	}
	r.ok("", "rm", "bob")
	r.ok("", "rm", "cam 1")
	text, err := os.ReadFile(r.path)
	want := "# of the plant\n\n[groups.cams] # all\nquota_bytes = \"1G\"\n\n[users.ann]\nclient_cert = 'cn:ann'\n"
	if err != nil || string(text) != want {
		t.Errorf("the file is\n%s, %v", text, err)
	}
}

func TestUsersRefuse(t *testing.T) {
	r := newRoll(t, "[users.bob]\n")
	r.fails(exitUsage, "a password cannot be among the arguments", "x", "add", "ann", "password=sesame")
	r.fails(exitUsage, "lacks a value", "x", "add", "ann", "disabled")
	r.fails(exitUsage, "did you mean quota_bytes?", "x", "add", "ann", "quota_byte=1G")
	r.fails(exitUsage, "max_sessions: a whole number", "x", "add", "ann", "max_sessions=many")
	r.fails(exitUsage, "unknown permission", "x", "add", "ann", "permissions./=al")
	r.fails(exitUsage, "only permissions and mounts", "x", "add", "ann", "allow.x=1")
	r.fails(exitUsage, "cannot be a name", "x", "add", "a/b")
	r.fails(exitUsage, "is no algorithm", "x", "add", "ann", "--algo", "rot13")
	r.fails(exitUsage, "bcrypt looks at 72 bytes", strings.Repeat("x", 73), "add", "ann", "--algo", "bcrypt")
	r.fails(exitFailure, "there is no password", "\n", "add", "ann")
	r.fails(exitFailure, "is there already", "x", "add", "bob")
	r.fails(exitFailure, `there is no group "g"`, "x", "add", "ann", "groups=g")
	r.fails(exitFailure, `there is no user "ann"`, "x", "passwd", "ann")
	r.fails(exitFailure, `there is no user "ann"`, "x", "rm", "ann")
	r.fails(exitFailure, `there is no user "ann"`, "", "explain", "ann")
	r.fails(exitUsage, "which verb?", "", "explain", "bob", "/x")
	r.fails(exitUsage, "unknown permission", "", "explain", "bob", "/x", "fly")

	r = newRoll(t, "[users.bob]\nx = 1\nqota_bytes = 2\n")
	r.fails(exitFailure, ":2:1: there is no key x", "x", "passwd", "bob")
	r.fails(exitFailure, "has 2 mistakes", "x", "add", "ann")
	r.fails(exitFailure, ":3:1: there is no key qota_bytes", "", "ls")

	r = newRoll(t, "")
	r.fails(exitFailure, "no such file", "x", "ls")
	if _, err := os.Stat(r.path); err == nil {
		t.Error("the file was made")
	}
}

func TestUsersShow(t *testing.T) {
	r := newRoll(t, `[defaults]
remote = ":sftp,host=h,pass=hidden:/{user}"
[groups.g]
quota_bytes = "10G"
[users.bob]
groups = ["g"]
disabled = true
password = '$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/'
permissions."/in" = ["upload"]
note = "a note"
[users.ann]
remote = "nowhere:x"
`)
	list := r.ok("", "ls")
	for _, want := range []string{`bob +disabled +g +:sftp,...:/\{user\} +a note`, `ann +no password +- +nowhere:x`} {
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("there is no %q in\n%s", want, list)
		}
	}
	explained := r.ok("", "explain", "bob")
	for _, want := range []string{`quota_bytes +10Gi +groups\.g \(.*users\.toml:4\)`, `password +\[apr1\] +users\.bob`, `remote +:sftp,\.\.\.:/\{user\} +defaults`} {
		if !regexp.MustCompile(want).MatchString(explained) {
			t.Errorf("there is no %q in\n%s", want, explained)
		}
	}
	for word, want := range map[string]string{
		"/in/x upload": "yes: bob may upload /in/x: permissions.'/in' = [upload], users.bob (", "/in/x list": "no: ", "/x upload": "no: bob may upload /x: no permission covers the path",
	} {
		path, verb, _ := strings.Cut(word, " ")
		if got := r.ok("", "explain", "bob", path, verb); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", word, got)
		}
	}
	status, stdout, stderr := r.run("", "check")
	if status != exitFailure || !strings.Contains(stdout, ":12:10: remote: ") || !strings.Contains(stdout, "warning: user ann cannot log in") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if all := list + explained + stdout + stderr; strings.Contains(all, "hidden") || strings.Contains(all, "GQVaHF") {
		t.Errorf("a secret is shown:\n%s", all)
	}
	r = newRoll(t, "[users.ann]\nauth = 'remote'\nremote = ':sftp,host=h,user={user},pass={password}:'\n")
	if got := r.ok("", "check"); got != "" {
		t.Errorf("check says %s", got)
	}
}

// TestAScanMakesNoHome counts what users have who were never here, and what one has who was.
func TestAScanMakesNoHome(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	r := newRoll(t, "[defaults]\nremote = '"+dir+"/{user}'\ncreate_home = true\nquota_bytes = '1M'\n[users.ann]\nauth = 'none'\n"+
		"[users.bob]\nauth = 'none'\n[users.eve]\nauth = 'none'\nmounts.'/m' = '"+dir+"/bob'\n[users.joe]\nauth = 'none'\nmounts.'/m' = '"+dir+"/gone'\n")
	if err := os.Mkdir(filepath.Join(dir, "bob"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bob", "file"), []byte("seven.."), 0o600); err != nil {
		t.Fatal(err)
	}
	out := r.ok("", "usage", "--scan", "--cache-dir", cache, "ann", "bob", "eve")
	for _, want := range []string{"ann +0", "bob +7", "eve +7"} {
		if !regexp.MustCompile(`(?m)^` + want + `\b`).MatchString(out) {
			t.Errorf("usage does not say %q\n%s", want, out)
		}
	}
	r.fails(exitFailure, "mount /m", "", "usage", "--scan", "--cache-dir", cache, "joe")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the scan has left %v, %v", entries, err)
	}
}

func TestUsersHash(t *testing.T) {
	r := newRoll(t, "")
	for _, algorithm := range auth.Algorithms() {
		hash := strings.TrimSpace(r.ok("sesame\n", "hash", "--algo", algorithm))
		if right, err := auth.Verify(hash, "sesame"); err != nil || !right {
			t.Errorf("%s: %s is not the hash, %v", algorithm, hash, err)
		}
	}
	r.fails(exitUsage, "there are normal and high", "sesame", "hash", "--cost", "low")
}

func TestUsersImport(t *testing.T) {
	r := newRoll(t, "")
	from := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(from, []byte("bob:$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/\na/b:x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := r.run("", "import", "--from", "htpasswd", from)
	if want := "[users.bob]\npassword = '$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/'\n"; status != exitOK || stdout != want || !strings.HasPrefix(stderr, "'a/b': left out: ") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if got := r.ok("ann:$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/\n", "import", "--from", "htpasswd", "-"); !strings.HasPrefix(got, "[users.ann]") {
		t.Errorf("standard input becomes %s", got)
	}
	r.fails(exitUsage, "name it by --from", "", "import", from)
	r.fails(exitUsage, "cannot be imported", "", "import", "--from", "ldap", from)
	r.fails(exitUsage, "line 1: 2 fields", "", "import", "--from", "passwd", from)
	r.fails(exitFailure, "no such file", "", "import", "--from", "passwd", from+"x")
}

// TestTheImportsOfTheDocumentRun runs each command of importing, with a file that has one user.
func TestTheImportsOfTheDocumentRun(t *testing.T) {
	text, err := os.ReadFile("../../doc/users.md")
	if err != nil {
		t.Fatal(err)
	}
	hash, files := "$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/", map[string]string{}
	files["sftpgo"] = `{"users": [{"username": "bob", "password": "` + hash + `", "status": 1, "home_dir": "/srv/bob", "permissions": {"/": ["*"]}}]}`
	files["htpasswd"] = "bob:" + hash + "\n"
	files["passwd"] = "bob:" + hash + ":1000:1000::/srv/bob:/bin/false\n"
	files["puredb"] = "bob:" + hash + ":1000:1000::/srv/bob/./:::::::::::: \n"
	files["rclone-auth-proxy"] = `{"bob": {"type": "local", "_root": "/srv/bob"}}`
	for _, m := range regexp.MustCompile(`(?m)^    ferry users (import --from (\S+)) \S+ > users\.toml$`).FindAllSubmatch(text, -1) {
		kind := string(m[2])
		file, known := files[kind]
		delete(files, kind)
		from := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(from, []byte(file), 0o600); err != nil || !known {
			t.Fatal(kind, err)
		}
		status, stdout, stderr := newRoll(t, "").run("", append(strings.Fields(string(m[1])), from)...)
		if status != exitOK || !strings.Contains(stdout, "[users.bob]") {
			t.Errorf("%s: status %d\n%s%s", kind, status, stdout, stderr)
			continue
		}
		newRoll(t, stdout).user("bob")
	}
	if len(files) > 0 {
		t.Errorf("there is no example of %v", files)
	}
}

// TestTheCommandsOfTheDocumentRun runs the examples of doc/users.md one after the other.
func TestTheCommandsOfTheDocumentRun(t *testing.T) {
	text, err := os.ReadFile("../../doc/users.md")
	if err != nil {
		t.Fatal(err)
	}
	r, ran := newRoll(t, ""), 0
	for _, block := range strings.Split(string(text), "```sh\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for line := range strings.Lines(block) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), " < password.txt")
			args, ok := strings.CutPrefix(command, "ferry users ")
			if !ok {
				t.Fatalf("%q is no command", line)
			}
			words := strings.Fields(args)
			status, stdout, stderr := r.run("sesame\n", words...)
			if status != exitOK || stderr != "" {
				t.Errorf("%s: status %d\n%s%s", command, status, stdout, stderr)
			}
			ran++
		}
	}
	if ran < 10 {
		t.Errorf("%d examples ran", ran)
	}
}

// TestTheHelpNamesTheKeys is for who has only that.
func TestTheHelpNamesTheKeys(t *testing.T) {
	help := newRoll(t, "").ok("", "add", "--help")
	for _, word := range append(users.Keys(), "drop-box", "append-only") {
		if !strings.Contains(help, word) {
			t.Errorf("there is no %s in it", word)
		}
	}
}
