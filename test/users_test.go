package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An office is ferry with a file of users, in a directory with their remotes.
type office struct {
	t     *testing.T
	dir   string
	env   []string // of ferry
	ferry *process
	addr  string
}

// newOffice makes the users; what is said of each begins with the name.
func newOffice(t *testing.T, users ...string) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir()}
	for _, user := range users {
		o.users(append([]string{"add"}, strings.Fields(user)...)...)
	}
	return o
}

func (o *office) file(name string) string { return filepath.Join(o.dir, name) }

// users runs ferry users. Every password is the name of its user, doubled.
func (o *office) users(args ...string) {
	o.t.Helper()
	cmd := exec.Command(ferryBinary, append([]string{"users", "--users", o.file("users.toml")}, args...)...)
	cmd.Stdin = strings.NewReader(args[1] + args[1] + "\n")
	cmd.Env = append(os.Environ(), "RCLONE_CONFIG=notfound")
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Fatalf("ferry users %v: %v\n%s", args, err, out)
	}
}

func (o *office) serve(args ...string) {
	o.t.Helper()
	args = append([]string{
		"serve", "ftp", "--users", o.file("users.toml"), "--addr", "127.0.0.1:0", "--cache-dir", o.file("cache"), "--config", "notfound",
	}, args...)
	o.ferry, o.addr = serveWith(o.t, o.env, ferryBinary, args...)
}

// login is a session of a user.
func (o *office) login(user string) *ftpClient {
	o.t.Helper()
	c := connect(o.t, "127.0.0.1", o.addr)
	c.do("USER "+user, 331)
	c.do("PASS "+user+user, 230)
	return c
}

func (o *office) refused(user, password string) {
	o.t.Helper()
	c := connect(o.t, "127.0.0.1", o.addr)
	c.do("USER "+user, 331)
	c.do("PASS "+password, 530)
}

// holds waits until the file of a remote has that content.
func (o *office) holds(name, content string) {
	o.t.Helper()
	var got []byte
	for range 300 {
		if got, _ = os.ReadFile(o.file(name)); string(got) == content {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	o.t.Errorf("%s has %q, want %q", name, got, content)
}

func TestThreeDevicesWithUsersOfTheirOwn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	srv := o.file("srv")
	o.users("add", "cam", "remote="+srv+"/{user}", "create_home=true", "permissions./=drop-box")
	o.users("add", "scan", "remote="+srv+"/{user}", "create_home=true", "max_file_size=10B")
	o.users("add", "ann", "remote="+srv, "permissions./=read-only")
	o.serve()
	cam, scan, ann := o.login("cam"), o.login("scan"), o.login("ann")
	cam.upload("STOR one.jpg", []byte("picture"))
	o.holds("srv/cam/one.jpg", "picture")
	cam.do("SIZE one.jpg", 213)
	cam.do("EPSV", 229)
	cam.do("RETR one.jpg", 550)
	cam.do("DELE one.jpg", 550)
	scan.upload("STOR scan.pdf", []byte("ten bytes!"))
	data := scan.beginUpload("STOR scan.pdf", []byte("eleven bytes"))
	data.Close()
	scan.expect(552)
	o.holds("srv/scan/scan.pdf", "ten bytes!")
	if got := string(ann.fetch("RETR cam/one.jpg")); got != "picture" {
		t.Errorf("ann reads %q", got)
	}
	ann.do("EPSV", 229)
	ann.do("STOR new", 550)
	ann.do("DELE cam/one.jpg", 550)
	if got := string(o.login("cam").fetch("NLST")); got != "" {
		t.Errorf("another session of the drop-box lists %q", got)
	}
	o.refused("cam", "wrong")
	o.refused("eve", "eveeve")
}

// TestUsersWhoChange edits the file while they are logged in.
func TestUsersWhoChange(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "ann", "bob", "cam")
	if err := os.Mkdir(o.file("srv"), 0o777); err != nil {
		t.Fatal(err)
	}
	o.serve(o.file("srv"))
	ann, bob := o.login("ann"), o.login("bob")
	data := bob.beginUpload("STOR half", []byte("one "))
	o.users("rm", "bob")
	if err := o.ferry.log.waitForLine(`removed=\[bob\]`); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(data, "two")
	data.Close()
	bob.expect(226)
	bob.expect(421)
	o.holds("srv/half", "one two")
	o.refused("bob", "bobbob")
	ann.do("NOOP", 200)

	// What cannot be read changes nothing.
	text, err := os.ReadFile(o.file("users.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.file("users.toml"), append(text, "qouta = 1\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.ferry.log.waitForLine("qouta"); err != nil {
		t.Fatal(err)
	}
	ann.do("NOOP", 200)
	o.login("cam")
}

// TestWhatWaitsIsSentWithoutALogin kills ferry while files of users wait.
func TestWhatWaitsIsSentWithoutALogin(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, user := range []string{"ann", "bob"} {
		o.users("add", user, "remote="+o.file("srv")+"/{user}", "create_home=true", "cache_mode=writes")
	}
	o.serve("--vfs-write-back", "1h")
	for _, user := range []string{"ann", "bob"} {
		o.login(user).upload("STOR file", []byte("of "+user))
	}
	if _, err := os.Stat(o.file("srv/ann/file")); err == nil {
		t.Fatal("nothing waits")
	}
	o.ferry.kill()
	o.serve("--vfs-write-back", "0s")
	o.holds("srv/ann/file", "of ann")
	o.holds("srv/bob/file", "of bob")
}

// TestWhatWaitsIsSentToWhereItWasToGo has the remote of a user change, and another user go.
func TestWhatWaitsIsSentToWhereItWasToGo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, user := range []string{"ann", "bob", "cam"} {
		o.users("add", user, "remote="+o.file("srv")+"/{user}", "create_home=true", "cache_mode=writes")
	}
	o.serve("--vfs-write-back", "1h")
	for _, user := range []string{"ann", "bob", "cam"} {
		o.login(user).upload("STOR file", []byte("of "+user))
	}
	o.ferry.kill()
	// The remote of cam is away, and comes back.
	if err := os.Rename(o.file("srv/cam"), o.file("away")); err != nil {
		t.Fatal(err)
	}
	o.users("rm", "ann")
	o.users("add", "ann", "remote="+o.file("new")+"/{user}", "create_home=true", "cache_mode=writes")
	o.users("rm", "bob")
	o.users("rm", "cam")
	o.users("add", "cam", "remote="+o.file("srv")+"/{user}", "cache_mode=writes")
	o.serve("--vfs-write-back", "0s")
	o.holds("srv/ann/file", "of ann")
	o.holds("srv/bob/file", "of bob")
	if err := os.Rename(o.file("away"), o.file("srv/cam")); err != nil {
		t.Fatal(err)
	}
	o.holds("srv/cam/file", "of cam")
}

// TestPasswordsArePassedOn has users whom the FTP server behind knows, and nobody else.
func TestPasswordsArePassedOn(t *testing.T) {
	t.Parallel()
	behind := newOffice(t)
	behind.users("add", "ann", "remote="+behind.file("srv")+"/{user}", "create_home=true")
	behind.serve()
	host, port, _ := strings.Cut(behind.addr, ":")
	o := newOffice(t)
	o.replaceUsers(strings.ReplaceAll(ofManual(t, "Behind other FTP servers"), "host=old.example.org", "host="+host+",port="+port))
	o.serve("--auth-cache", "0")
	ann := o.login("ann")
	ann.upload("STOR file", []byte("content"))
	behind.holds("srv/ann/file", "content")
	o.refused("ann", "wrong")
	o.refused("ann", `x",host="127.0.0.1`)
	o.refused("eve", "eveeve")
	if log := o.ferry.log.String(); strings.Contains(log, "annann") {
		t.Error("the log has a password")
	}
	// A password that the remote refuses by now opens no tree, although that is open.
	behind.users("rm", "ann")
	behind.users("add", "ann", "remote="+behind.file("srv")+"/{user}", "disabled=true")
	for try := 0; ; try++ {
		c := connect(t, "127.0.0.1", o.addr)
		c.do("USER ann", 331)
		if text := c.do("PASS annann", 230, 530); strings.HasPrefix(text, "530") || strings.Contains(text, "incorrect") {
			break
		}
		if try == 100 {
			t.Fatal("the password opens the tree")
		}
		time.Sleep(100 * time.Millisecond)
	}
	ann.do("NOOP", 200)
	behind.ferry.stop()
	c := connect(t, "127.0.0.1", o.addr)
	c.do("USER bob", 331)
	c.do("PASS bobbob", 421)
}

// TestTheTreesOfUsersAreUnderRemoteControl asks for those that are open.
func TestTheTreesOfUsersAreUnderRemoteControl(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.users("add", "ann", "remote="+o.file("srv")+"/{user}", "create_home=true", "cache_mode=writes")
	if err := os.Mkdir(o.file("main"), 0o777); err != nil {
		t.Fatal(err)
	}
	o.serve(o.file("main"), "--vfs-write-back", "1h", "--rc", "--rc-addr", "unix://"+o.file("rc.sock"))
	rc := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(ferryBinary, append([]string{"rc", "--unix-socket", o.file("rc.sock")}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if list := rc("vfs/list"); !strings.Contains(list, "main") || strings.Contains(list, "srv/ann") {
		t.Errorf("before a login: %s", list)
	}
	o.login("ann").upload("STOR file", []byte("content"))
	if list := rc("vfs/list"); !strings.Contains(list, "main") || !strings.Contains(list, "srv/ann") {
		t.Errorf("after a login: %s", list)
	}
	if queue := rc("vfs/queue", "fs="+o.file("srv/ann")); !strings.Contains(queue, `"file"`) {
		t.Errorf("what waits: %s", queue)
	}
	rc("vfs/flush", "fs="+o.file("srv/ann"))
	o.holds("srv/ann/file", "content")
}
