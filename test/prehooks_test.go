package test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// checker refuses contents with a word in them. It reads them by the descriptor, and compares that
// with what it is told of the file.
const checker = `cmp -s /dev/fd/3 "$FERRY_FILE" || { echo '{"message":"The descriptor is not the file."}'; exit 1; }
[ "$(wc -c <"$FERRY_FILE")" -eq "$FERRY_SIZE" ] || { echo '{"message":"The size is wrong."}'; exit 1; }
if grep -q EICAR "$FERRY_FILE"; then echo '{"message":"It contains EICAR."}'; exit 1; fi`

// A checked is an office of the user ann, who is asked about.
type checked struct {
	*office
	site *site // that has the remote; nil: local
}

// newChecked starts ferry over a remote, with hooks: each is a script and the other lines of its
// entry.
func newChecked(t *testing.T, s *site, mode string, hooks ...[2]string) *checked {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the hooks are shell scripts")
	}
	c := &checked{newOffice(t), s}
	remote := c.file("srv") + "/{user}"
	if s != nil {
		remote = "store:bucket/{user}"
		c.env = s.environment("store", s.addr)
	}
	text := fmt.Sprintf("[defaults]\nremote = %q\ncreate_home = true\ncache_mode = %q\n", remote, mode) + entry("ann", "") + entry("bob", "")
	for i, hook := range hooks {
		script := c.file(fmt.Sprintf("hook%d", i))
		write(t, script, "#!/bin/sh\n"+hook[0]+"\n")
		text += fmt.Sprintf("[[hooks]]\n%s\n", strings.ReplaceAll(hook[1], "SCRIPT", fmt.Sprintf("program = ['/bin/sh', '%s']", script)))
	}
	c.replaceUsers(text)
	c.serve("--vfs-write-back", "0s", "--vfs-cache-mode", mode, "-v", "--audit-log", c.file("audit.log"), "--xferlog", c.file("xferlog"))
	return c
}

// stored is where a file of ann is on the disk.
func (c *checked) stored(name string) string {
	if c.site != nil {
		return filepath.Join(c.site.data, "bucket/ann", name)
	}
	return c.file("srv/ann/" + name)
}

// nowhere wants no file of the remote or of the directory for checks to have the word.
func (c *checked) nowhere(word string) {
	c.t.Helper()
	for _, dir := range []string{filepath.Dir(filepath.Dir(c.stored("x"))), c.file("cache/check")} {
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return ignoreAbsence(err)
			}
			if text, err := os.ReadFile(name); err == nil && bytes.Contains(text, []byte(word)) {
				c.t.Errorf("%s has %s in it", name, word)
			}
			return nil
		})
		if err != nil {
			c.t.Error(err)
		}
	}
}

// has waits until the remote has the content.
func (c *checked) has(name, want string) {
	c.t.Helper()
	var got []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got, _ = os.ReadFile(c.stored(name)); string(got) == want {
			return
		}
	}
	c.t.Errorf("%s is %s on the remote, not %d bytes", name, bytesOnly(got), len(want))
}

// send uploads and wants a reply.
func (c *checked) send(ftp *ftpClient, command, body string, code int, says string) {
	c.t.Helper()
	ftp.beginUpload(command, []byte(body)).Close()
	if reply := ftp.expect(code); !strings.Contains(reply, says) {
		c.t.Errorf("%s is answered %q, not with %q", command, reply, says)
	}
}

// What is refused leaves the old file and nothing else, whatever the mode, however it is sent.
func TestChecksBeforePublication(t *testing.T) {
	t.Parallel()
	gateway := startGateway(t)
	for where, s := range map[string]*site{"local": nil, "s3": gateway} {
		for _, mode := range []string{"off", "minimal", "writes", "full"} {
			t.Run(where+" "+mode, func(t *testing.T) {
				checkUploads(newChecked(t, s, mode, [2]string{checker, "events = ['check']\nSCRIPT"}), mode)
			})
			if s != nil {
				os.RemoveAll(filepath.Join(s.data, "bucket/ann"))
			}
		}
	}
}

func checkUploads(c *checked, mode string) {
	t := c.t
	ftp := c.login("ann")
	ftp.do("TYPE I", 200)
	old := string(content(300_000, "old"))
	c.send(ftp, "STOR f", old, 226, "")
	c.has("f", old)
	large := string(content(12<<20, "large"))
	for _, bad := range []string{"EICAR", large + "EICAR"} {
		c.send(ftp, "STOR f", bad, 550, "It contains EICAR.")
		c.send(ftp, "STOR new", bad, 550, "It contains EICAR.")
		ftp.do("SIZE new", 550)
	}
	if got := string(ftp.fetch("RETR f")); got != old {
		t.Errorf("the old file is %s", bytesOnly([]byte(got)))
	}
	c.send(ftp, "STOR large", large, 226, "")
	c.has("large", large)
	c.send(ftp, "STOR empty", "", 226, "")
	c.has("empty", "")

	// What is appended is checked with what is there.
	c.send(ftp, "STOR split", "one EIC", 226, "")
	c.has("split", "one EIC")
	if mode != "off" || c.site == nil {
		c.send(ftp, "APPE split", "AR", 550, "It contains EICAR.")
		c.send(ftp, "APPE split", "E two", 226, "")
		c.has("split", "one EICE two")
		ftp.do("REST 7", 350)
		c.send(ftp, "STOR split", " three", 226, "")
		c.has("split", "one EIC three")
	}
	c.send(ftp, "APPE fresh", "x", 226, "")
	c.has("fresh", "x")

	checkContinued(c, ftp, mode, old)
	c.nowhere("EICAR")
	if left, err := filepath.Glob(c.file("cache/check/*")); err != nil || len(left) > 0 {
		t.Errorf("in the directory of checks are %v, %v", left, err)
	}
}

// checkContinued wants what was cut off to go on, and to be checked with what came before.
func checkContinued(c *checked, ftp *ftpClient, mode, old string) {
	for _, end := range []string{"AR", "E"} {
		data := ftp.beginUpload("STOR part", []byte(old+"EIC"))
		ftp.do("NOOP", 200)
		waitForPart(c, len(old)+3)
		reset(c.t, data)
		ftp.expect(426, 451)
		reply := ftp.do("SIZE part", 213, 550)
		if !strings.HasPrefix(reply, "213") {
			c.t.Logf("mode %s keeps no part", mode)
			break
		}
		ftp.do("REST "+reply[4:], 350)
		if end == "AR" {
			c.send(ftp, "STOR part", end, 550, "It contains EICAR.")
			ftp.do("SIZE part", 550)
			continue
		}
		c.send(ftp, "STOR part", end, 226, "")
		c.has("part", old+"EICE")
	}
}

// waitForPart waits until so many bytes of an upload have come.
func waitForPart(c *checked, n int) {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		all, _ := filepath.Glob(c.file("cache/check/upload-*"))
		for _, name := range all {
			if info, err := os.Stat(name); err == nil && info.Size() == int64(n) {
				return
			}
		}
	}
	c.t.Fatalf("%d bytes do not come", n)
}

// A check that gives no answer in time is a no or a yes, as its entry says.
func TestChecksWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ script, fail string }{
		{"sleep 60", "closed"}, {"sleep 60", "open"}, {"kill -9 $$", "closed"}, {"kill -9 $$", "open"}, {"sleep 60", ""},
	} {
		c := newChecked(t, nil, "writes", [2]string{tt.script, "events = ['check']\ntimeout = '300ms'\nSCRIPT\n" + strings.Replace("fail = '"+tt.fail+"'", "fail = ''", "", 1)})
		ftp := c.login("ann")
		began := time.Now()
		if tt.fail == "open" {
			c.send(ftp, "STOR f", "x", 226, "")
			c.has("f", "x")
			if err := c.ferry.log.waitForLine("a hook gave no answer, which is yes for it"); err != nil {
				t.Error(err)
			}
		} else {
			c.send(ftp, "STOR f", "x", 451, "It cannot be found out at the moment")
			ftp.do("SIZE f", 213) // it may be continued, with nothing more
			if _, err := os.Stat(c.stored("f")); err == nil {
				t.Errorf("%+v: it is published", tt)
			}
		}
		if took := time.Since(began); took > patience/2 {
			t.Errorf("%+v takes %v", tt, took)
		}
	}
}

// What is refused is kept where the entry says, and the client is told what the hook says.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	const script = `case $FERRY_PATH in
*quiet*) echo '{"reply":226}'; exit 1;;
*large*) echo '{"reply":552,"message":"Too many pages."}'; exit 1;;
*drop*) echo '{"action":"drop"}'; exit 1;;
*) echo 'not JSON'; exit 1;;
esac`
	for _, mode := range []string{"off", "writes"} {
		c := newChecked(t, nil, mode, [2]string{script, "events = ['check']\npaths = ['/in/**']\nquarantine = '/held/back'\nSCRIPT"})
		ftp := c.login("ann")
		ftp.do("MKD in", 257)
		c.send(ftp, "STOR in/quiet", "1", 226, "")
		c.send(ftp, "STOR in/large", "2", 552, "Too many pages.")
		c.send(ftp, "STOR in/drop", "3", 550, "Not allowed by a rule of this server.")
		c.send(ftp, "STOR in/other", "4", 550, "Not allowed by a rule of this server.")
		c.send(ftp, "STOR elsewhere", "5", 226, "")
		if names := string(ftp.fetch("NLST in")); names != "" {
			t.Errorf("mode %s: there is %q", mode, names)
		}
		kept := map[string]string{"quiet": "1", "large": "2", "other": "4"}
		for _, name := range lines(ftp.fetch("NLST held/back")) {
			what := name[strings.LastIndex(name, "-")+1:]
			if got := string(ftp.fetch("RETR held/back/" + filepath.Base(name))); got == "" || got != kept[what] {
				t.Errorf("mode %s: %s in quarantine is %q", mode, name, got)
			}
			delete(kept, what)
		}
		if len(kept) > 0 {
			t.Errorf("mode %s: not in quarantine are %v", mode, kept)
		}
	}
}

// Of what is refused only its client is told that it was received.
func TestWhatIsRefusedQuietlyWasNotReceived(t *testing.T) {
	t.Parallel()
	c := newChecked(t, nil, "writes",
		[2]string{`case $FERRY_PATH in *quiet) echo '{"reply":226}'; exit 1;; esac`, "events = ['check']\nquarantine = '/held'\nSCRIPT"},
		[2]string{`echo "$FERRY_EVENT $FERRY_PATH $FERRY_RESULT" >>"$(dirname "$0")/told"`, "events = ['upload.received', 'upload.aborted', 'upload.stored']\nSCRIPT"})
	ftp := c.login("ann")
	c.send(ftp, "STOR quiet", "1", 226, "Transfer complete.")
	c.send(ftp, "STOR loud", "2", 226, "")
	ftp.do("SIZE quiet", 550)
	// The remote may have the file before its client is told, so that either may be told of first.
	var told string
	whole := func() bool {
		return strings.Contains(told, "stored /loud") && strings.Contains(told, "received /loud") && strings.Contains(told, "aborted /quiet")
	}
	for end := time.Now().Add(patience); !whole() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(c.file("told"))
		told = string(text)
	}
	if !strings.Contains(told, "upload.aborted /quiet denied\n") || strings.Contains(told, "received /quiet") || strings.Contains(told, "stored /quiet") ||
		!strings.Contains(told, "upload.received /loud ok\n") {
		t.Errorf("told is %s", told)
	}
	var audited []string
	for line := range strings.Lines(read(t, c.file("audit.log"))) {
		if strings.Contains(line, `"/quiet"`) && !strings.Contains(line, `"event":"command"`) {
			audited = append(audited, line)
		}
	}
	if len(audited) != 1 || !strings.Contains(audited[0], `"upload.aborted"`) || !strings.Contains(audited[0], `"denied"`) ||
		!strings.Contains(audited[0], "refused by the hook") || !strings.Contains(audited[0], `"code":226`) {
		t.Errorf("the audit log has %s", audited)
	}
	for line := range strings.Lines(read(t, c.file("xferlog"))) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, " /quiet ") != strings.HasSuffix(line, " i") {
			t.Errorf("the transfer log has %s", line)
		}
	}
}

// Programs are asked before things are done, and may say another path.
func TestHooksThatAreAsked(t *testing.T) {
	t.Parallel()
	const script = `echo "$FERRY_EVENT $FERRY_USER $FERRY_PATH $FERRY_TO" >>"${0%/*}/asked"
case "$FERRY_EVENT $FERRY_USER $FERRY_PATH" in
"pre.login bob "*) exit 1;;
"pre.upload ann /in/"*) echo "{\"path\":\"/sorted${FERRY_PATH#/in}\"}";;
"pre.upload ann /no") echo '{"message":"Send it tomorrow."}'; exit 1;;
"pre.upload ann /bad") echo '{"path":"../x"}';;
"pre.download ann /secret") exit 1;;
"pre.delete ann /keep"*) echo '{"message":"It is kept."}'; exit 1;;
"pre.rename ann "*) [ "$FERRY_TO" = /there ] && echo '{"path":"/elsewhere"}'; [ "$FERRY_TO" != /never ];;
esac`
	c := newChecked(t, nil, "off", [2]string{script, "events = ['pre.login', 'pre.upload', 'pre.download', 'pre.delete', 'pre.rename']\nSCRIPT"})
	c.refused("bob", "bobbob")
	ftp := c.login("ann")
	for _, dir := range []string{"in", "sorted", "keepdir"} {
		ftp.do("MKD "+dir, 257)
	}
	c.send(ftp, "STOR in/a", "1", 226, `"/sorted/a"`)
	c.has("sorted/a", "1")
	if reply := ftp.refusedUpload("STOR no", 550); !strings.Contains(reply, "Send it tomorrow.") {
		t.Errorf("it is answered %q", reply)
	}
	ftp.refusedUpload("STOR bad", 451)
	for _, name := range []string{"secret", "keep", "free", "here"} {
		c.send(ftp, "STOR "+name, name, 226, "")
	}
	ftp.data()
	ftp.do("RETR secret", 550)
	if got := string(ftp.fetch("RETR keep")); got != "keep" {
		t.Errorf("got %q", got)
	}
	if reply := ftp.do("DELE keep", 550); !strings.Contains(reply, "It is kept.") {
		t.Errorf("it is answered %q", reply)
	}
	ftp.do("RMD keepdir", 550)
	ftp.do("DELE free", 250)
	ftp.do("RNFR here", 350)
	ftp.do("RNTO never", 550)
	ftp.do("RNFR here", 350)
	ftp.do("RNTO there", 250)
	c.has("elsewhere", "here")
	c.has("keep", "keep")
	asked, err := os.ReadFile(c.file("asked"))
	if err != nil {
		t.Fatal(err)
	}
	want := "pre.login bob  \npre.login ann  \npre.upload ann /in/a \npre.upload ann /no \npre.upload ann /bad \n" +
		"pre.upload ann /secret \npre.upload ann /keep \npre.upload ann /free \npre.upload ann /here \n" +
		"pre.download ann /secret \npre.download ann /keep \npre.delete ann /keep \npre.delete ann /keepdir \npre.delete ann /free \n" +
		"pre.rename ann /here /never\npre.rename ann /here /there\n"
	if string(asked) != want {
		t.Errorf("asked was\n%s\nnot\n%s", asked, want)
	}
}

// Hooks of the command line are asked about its one user, too.
func TestHooksOfTheFlagsAreAsked(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the hooks are shell scripts")
	}
	dir, root := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "check"), checker)
	write(t, filepath.Join(dir, "delete"), `[ "$FERRY_PATH" != /keep ]`)
	_, addr := serve(t, root, "--cache-dir", filepath.Join(dir, "cache"),
		"--hook", "check=/bin/sh "+filepath.Join(dir, "check"), "--hook", "pre.delete=/bin/sh "+filepath.Join(dir, "delete"))
	c := login(t, "", addr)
	c.upload("STOR keep", []byte("good"))
	c.beginUpload("STOR keep", []byte("EICAR")).Close()
	if reply := c.expect(550); !strings.Contains(reply, "It contains EICAR.") {
		t.Errorf("it is answered %q", reply)
	}
	c.do("DELE keep", 550)
	c.upload("STOR free", nil)
	c.do("DELE free", 250)
	if got, err := os.ReadFile(filepath.Join(root, "keep")); string(got) != "good" {
		t.Errorf("the file is %q, %v", got, err)
	}
}

// refusedUpload is an upload that is refused before a byte is taken.
func (c *ftpClient) refusedUpload(command string, code int) string {
	c.t.Helper()
	defer c.data().Close()
	return c.do(command, code)
}
