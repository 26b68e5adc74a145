package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/remote/remotetest/servers"
)

// sesame is the password of those users of the manual whom tests log in.
const sesame = "sesame"

// ofManual returns the users file below a heading of doc/users.md.
func ofManual(t *testing.T, heading string) string {
	t.Helper()
	return blockOfManual(t, heading, "toml")
}

// blockOfManual returns the first example in a language below a heading of doc/users.md.
func blockOfManual(t *testing.T, heading, language string) string {
	t.Helper()
	_, text, found := strings.Cut(sectionOfManual(t, heading), "```"+language+"\n")
	text, _, _ = strings.Cut(text, "```")
	if !found {
		t.Fatalf("doc/users.md has no example %q", heading)
	}
	return text
}

// commandsOfManual returns the command lines below a heading that hold a text, without the program.
func commandsOfManual(t *testing.T, heading, with string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(sectionOfManual(t, heading)) {
		if command, is := strings.CutPrefix(line, "    ferry "); is && strings.Contains(command, with) {
			all = append(all, strings.TrimSpace(command))
		}
	}
	if len(all) == 0 {
		t.Fatalf("doc/users.md has no command %q below %q", with, heading)
	}
	return all
}

func sectionOfManual(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../doc/users.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "# "+heading+"\n")
	if !found {
		t.Fatalf("doc/users.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// serveManual serves an example of the manual, with the remotes of its users below the directory
// of o. There names are written in one way.
func (o *office) serveManual(heading string, args ...string) {
	o.t.Helper()
	o.mkdir("srv", "nas/forms", "s3/archive/scans", "main")
	here := strings.NewReplacer("/srv", o.file("srv"), "nas:", o.file("nas")+"/", "s3:", o.file("s3")+"/", `, encoding = "Slash,Ctl"`, "").Replace
	o.replaceUsers(here(ofManual(o.t, heading)))
	o.serve(append(args, "--vfs-write-back", "0s")...)
}

// enter logs a user of the manual in.
func (o *office) enter(user string) *ftpClient {
	o.t.Helper()
	return o.enterAs(user, sesame, 230)
}

func (o *office) enterAs(user, password string, code int) *ftpClient {
	o.t.Helper()
	c := connect(o.t, "127.0.0.1", o.addr)
	c.do("USER "+user, 331)
	c.do("PASS "+password, code)
	return c
}

// refusesUpload tries to store a file that the server must refuse before a byte is taken.
func (c *ftpClient) refusesUpload(name string) {
	c.t.Helper()
	c.do("EPSV", 229)
	c.do("STOR "+name, 550)
}

func TestFilesOfOneNameAsInTheManual(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.serveManual("Files of one name", o.file("main"))
	partner := o.enter("partner")
	partner.upload("STOR orders.csv", []byte("of monday"))
	partner.refusesUpload("orders.csv")
	o.holds("main/orders.csv", "of monday")
	partner.upload("STOR new.csv", []byte("of tuesday"))
	partner.do("RNFR new.csv", 350)
	partner.do("RNTO orders.csv", 550)
	o.holds("main/orders.csv", "of monday")
	// The group of the example has no user in it.
	text := ofManual(t, "Files of one name") + entry("cam", `groups = "cameras"`)
	o2 := newOffice(t)
	o2.replaceUsers(text)
	o2.mkdir("main")
	o2.serve(o2.file("main"))
	for i, name := range []string{"image.jpg", "image (1).jpg", "image (2).jpg"} {
		content := fmt.Sprint("picture ", i)
		o2.login("cam").upload("STOR image.jpg", []byte(content))
		o2.holds("main/"+name, content)
	}
}

func TestPermissionsAndPatternsAsInTheManual(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.mkdir("main/in", "main/acme/drafts")
	o.write("main/prices", "of today")
	o.write("main/setup.exe", "hidden")
	o.serveManual("Permissions", o.file("main"))
	c := o.enter("partner")
	if got := string(c.fetch("RETR prices")); got != "of today" {
		t.Errorf("reads %q", got)
	}
	c.refusesUpload("new")
	c.upload("STOR in/orders.csv", []byte("orders"))
	c.refusesUpload("in/orders.doc")
	if got := fmt.Sprint(lines(o.enter("partner").fetch("NLST in"))); got != "[]" {
		t.Errorf("another session lists %s in the drop-box", got)
	}
	c.upload("STOR acme/drafts/a", []byte("draft"))
	c.do("DELE acme/drafts/a", 250)
	c.do("SIZE setup.exe", 550)
	if got := string(c.fetch("NLST")); strings.Contains(got, "setup.exe") {
		t.Errorf("lists %q", got)
	}
}

func TestMountsAsInTheManual(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.mkdir("srv/scanner")
	o.mkdir("nas/forms")
	o.write("nas/forms/form", "to fill in")
	o.serveManual("Mounts")
	c := o.enter("scanner")
	c.upload("STOR page", []byte("page"))
	c.upload("STOR archive/page", []byte("old page"))
	o.holds("srv/scanner/page", "page")
	o.holds("s3/archive/scans/page", "old page")
	if got := string(c.fetch("RETR forms/form")); got != "to fill in" {
		t.Errorf("reads %q", got)
	}
	c.refusesUpload("forms/new")
	c.do("RNFR page", 350)
	c.do("RNTO archive/moved", 550)
	if got, want := o.usage("scanner"), len("page")+len("old page"); got != want {
		t.Errorf("%d bytes count for the quota, want %d", got, want)
	}
	c.do("RMD archive", 550)
}

func TestTreesAsInTheManual(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.mkdir("srv/reports")
	o.serveManual("Trees")
	ann, bob := o.enter("ann"), o.enter("bob")
	ann.upload("STOR report", []byte("of ann"))
	if got := string(bob.fetch("RETR report")); got != "of ann" {
		t.Errorf("bob reads %q", got)
	}
	bob.do("DELE report", 250)
	ann.do("SIZE report", 550)
	o.enterAs("scanner", sesame, 421)
	if err := o.ferry.log.waitForLine("login failed .*disk/scans.*there is no such directory"); err != nil {
		t.Error(err)
	}
	o.enter("ann")
}

// TestPasswordsThatRotateAsInTheManual moves the networks of the example to this machine.
func TestPasswordsThatRotateAsInTheManual(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.mkdir("main")
	text := strings.NewReplacer("192.168.1.0/24", "127.0.0.0/8", "2027-01-31", "2999-01-31", "require_tls = true", "").
		Replace(ofManual(t, "Passwords"))
	o.replaceUsers(text)
	o.serve(o.file("main"))
	o.enter("camera-1")
	o.enterAs("camera-1", "password", 230)
	o.enterAs("camera-1", "wrong", 530)
	o.replaceUsers(strings.Replace(text, "2999-01-31", "2001-01-31", 1))
	if err := o.ferry.log.waitForLine("read the users again"); err != nil {
		t.Fatal(err)
	}
	o.enter("camera-1")
	o.enterAs("camera-1", "password", 530)
}

// TestTheCommandsAroundUsers runs each command line that the manual has of serving its users, with
// addresses, networks and files of this machine.
func TestTheCommandsAroundUsers(t *testing.T) {
	t.Parallel()
	var all []string
	for _, heading := range []string{"Users", "Passwords", "Certificates", "Around them"} {
		all = append(all, commandsOfManual(t, heading, "--users users.toml")...)
	}
	for _, command := range all {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, "ann remote="+filepath.Join(t.TempDir(), "ann")+" create_home=true")
			o.certificate("clients", nil, nil)
			for _, name := range []string{"one", "two", "server"} {
				o.certificate(name, nil, nil)
			}
			port := fmt.Sprint(servers.FreePort(t))
			replacer := strings.NewReplacer("users.toml", o.file("users.toml"), ":2121", "127.0.0.1:0", "30000-30007", port,
				"one.", o.file("one."), "two.", o.file("two."), "server.", o.file("server."), "clients.", o.file("clients."), "auth.log", o.file("auth.log"),
				"10.0.0.5", "127.0.0.1", "10.0.0.0/8", "127.0.0.0/8", "10.1.2.3", "127.0.0.1", "10.9.0.0/16", "127.9.0.0/16")
			args := append(strings.Fields(replacer.Replace(command)), "--cache-dir", o.file("cache"), "--config", "notfound")
			o.ferry, o.addr = serveBy(t, ferryBinary, args...)
			if strings.Contains(command, "--proxy-protocol") {
				conn, err := dial("", o.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprint(conn, "PROXY TCP4 192.0.2.7 127.0.0.1 1024 21\r\nUSER ann\r\nPASS annann\r\n")
				buf := make([]byte, 4096)
				var got strings.Builder
				for !strings.Contains(got.String(), "230 ") {
					n, err := conn.Read(buf)
					if got.Write(buf[:n]); err != nil {
						t.Fatalf("%v after %s", err, got.String())
					}
				}
				return
			}
			c := o.login("ann")
			c.upload("STOR file", []byte("content"))
			if got := string(c.fetch("RETR file")); got != "content" {
				t.Errorf("reads %q", got)
			}
			o.refused("ann", "wrong")
		})
	}
}
