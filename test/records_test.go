package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// A record is a line of an audit log.
type record struct {
	Event, User, Address, Path, To, Result, Cause, Prev string
	Bytes, Size, Code                                   int
	Session                                             uint64
}

// records reads an audit log, of which all lines must be whole.
func records(t *testing.T, name string) (all []record) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		t.Fatalf("%s ends in the middle of a line", name)
	}
	for line := range bytes.Lines(text) {
		var r record
		d := json.NewDecoder(bytes.NewReader(line))
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

// Each reply finds its line in the file.
func TestALineIsThereBeforeTheReply(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"off", "writes"} {
		dir := t.TempDir()
		audit, xferlog := filepath.Join(dir, "audit.log"), filepath.Join(dir, "xferlog")
		_, addr := serve(t, t.TempDir(), "--audit-log", audit, "--xferlog", xferlog, "--audit-chain", "--vfs-cache-mode", mode)
		seen := 0
		said := func(wants ...record) {
			t.Helper()
			all := records(t, audit)
			for _, want := range wants {
				i := slices.IndexFunc(all[seen:], func(r record) bool {
					return r.Event == want.Event && r.Path == want.Path && r.To == want.To && r.Result == want.Result && r.Bytes == want.Bytes &&
						r.User == "bob" && r.Address == "127.0.0.1" && r.Session > 0
				})
				if i < 0 {
					t.Errorf("mode %s: there is no %+v in %+v", mode, want, all[seen:])
				}
			}
			seen = len(all)
		}
		c := login(t, "", addr)
		said(record{Event: "login", Result: "ok"})
		c.upload("STOR a \"b\"", content(100_000, "a"))
		said(record{Event: "upload.received", Path: "/a \"b\"", Result: "ok", Bytes: 100_000})
		c.do("MKD d", 257)
		said(record{Event: "mkdir", Path: "/d", Result: "ok"})
		c.do("RNFR a \"b\"", 350)
		c.do("RNTO d/é\x1b", 250)
		said(record{Event: "rename", Path: "/a \"b\"", To: "/d/é\x1b", Result: "ok"})
		c.fetch("RETR d/é\x1b")
		said(record{Event: "download", Path: "/d/é\x1b", Result: "ok", Bytes: 100_000})
		n := len(c.fetch("MLSD d"))
		said(record{Event: "list", Path: "/d", Result: "ok", Bytes: n})
		c.do("DELE none", 550)
		said(record{Event: "delete", Path: "/none", Result: "failed"})
		c.do("DELE d/é\x1b", 250)
		c.do("RMD d", 250)
		said(record{Event: "delete", Path: "/d/é\x1b", Result: "ok"}, record{Event: "rmdir", Path: "/d", Result: "ok"})
		data := c.beginUpload("STOR cut", content(1000, "c"))
		reset(t, data)
		c.expect(426, 451)
		said(record{Event: "upload.aborted", Path: "/cut", Result: "aborted", Bytes: 1000})
		c.do("QUIT", 221)
		said(record{Event: "disconnect", Result: "ok"})
		text, err := os.ReadFile(xferlog)
		if err != nil {
			t.Fatal(err)
		}
		var moved []string
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(strings.Replace(line, "  ", " ", 1), " ")
			moved = append(moved, strings.Join(fields[6:], " "))
		}
		if want := []string{
			"127.0.0.1 100000 /a_\"b\" b _ i r bob ftp 0 * c\n", "127.0.0.1 100000 /d/é_ b _ o r bob ftp 0 * c\n",
			"127.0.0.1 0 /d/é_ b _ d r bob ftp 0 * c\n", "127.0.0.1 1000 /cut b _ i r bob ftp 0 * i\n",
		}; !slices.Equal(moved, want) {
			t.Errorf("mode %s: xferlog has %q, not %q", mode, text, want)
		}
	}
}

// verifyAudit runs ferry audit verify and returns what it says.
func verifyAudit(t *testing.T, names ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(ferryBinary, append([]string{"audit", "verify"}, names...)...).CombinedOutput()
	return string(out), err
}

// ferry is killed under load, again and again: only whole lines are left, each acknowledged upload
// has one, and the chain goes on.
func TestRecordsSurviveKills(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	text := fmt.Sprintf("[defaults]\nremote = '%s/{user}'\ncreate_home = true\n", o.file("srv"))
	const devices, rounds = 4, 4
	for i := range devices {
		text += entry(fmt.Sprintf("u%d", i), "")
	}
	o.replaceUsers(text)
	audit := o.file("audit.log")
	var stored atomic.Int64
	for range rounds {
		o.serve("--audit-log", audit, "--audit-chain", "--audit-commands")
		stop, all := make(chan struct{}), sync.WaitGroup{}
		for i := range devices {
			d := newDevice(o, fmt.Sprintf("u%d", i), 2000, &stored)
			all.Go(func() {
				if err := d.work(stop, true); err != nil {
					t.Error(err)
				}
			})
		}
		waitForFiles(t, &stored, devices*20)
		o.ferry.kill()
		all.Wait()
		close(stop)
	}
	received := 0
	for _, r := range records(t, audit) {
		if r.Event == "upload.received" && r.Code == 226 {
			received++
		}
	}
	if n := int(stored.Load()); received < n || received > n+devices*rounds {
		t.Errorf("%d uploads were acknowledged, and %d have a line", n, received)
	}
	if out, err := verifyAudit(t, audit); err != nil || !strings.Contains(out, "they begin with the first") {
		t.Errorf("the chain is broken: %v: %s", err, out)
	}
	whole, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(whole, []byte(`"user":"u1"`), []byte(`"user":"u2"`), 1)
	if err := os.WriteFile(audit, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := verifyAudit(t, audit); err == nil || !strings.Contains(out, "does not follow") {
		t.Errorf("a line that was changed is not found: %s", out)
	}
}

// SIGHUP begins new files after logrotate has moved the old ones away; no line is lost.
func TestRecordsOnHangup(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGHUP")
	}
	dir := t.TempDir()
	audit, xferlog := filepath.Join(dir, "audit.log"), filepath.Join(dir, "xferlog")
	p, addr := serve(t, t.TempDir(), "--audit-log", audit, "--xferlog", xferlog, "--audit-chain")
	c := login(t, "", addr)
	for i, name := range []string{"one", "two"} {
		c.upload("STOR "+name, []byte("x"))
		if i > 0 {
			break
		}
		for _, file := range []string{audit, xferlog} {
			if err := os.Rename(file, file+".1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"audit log", "transfer log"} {
			if err := p.log.waitForLine("opened the file of the " + what + " again"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for file, name := range map[string]string{audit + ".1": "/one", audit: "/two", xferlog + ".1": "/one", xferlog: "/two"} {
		text, err := os.ReadFile(file)
		if err != nil || strings.Count(string(text), " "+name+" ")+strings.Count(string(text), `"upload.received"`) != 1 || !strings.Contains(string(text), name) {
			t.Errorf("%s is %q, %v", file, text, err)
		}
	}
	if out, err := verifyAudit(t, audit, audit+".1"); err != nil {
		t.Errorf("the chain is broken: %v: %s", err, out)
	}
}

// A disk that is full stops nobody, and is said.
func TestRecordsOnAFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	for _, mode := range []string{"off", "writes"} {
		root, full := t.TempDir(), filepath.Join(t.TempDir(), "full")
		if err := os.Symlink("/dev/full", full); err != nil {
			t.Fatal(err)
		}
		p, addr := serve(t, root, "--audit-log", "/dev/full", "--xferlog", full, "--vfs-cache-mode", mode, "--vfs-write-back", "0s")
		c := login(t, "", addr)
		c.upload("STOR a", content(100_000, "a"))
		if got := c.fetch("RETR a"); !bytes.Equal(got, content(100_000, "a")) {
			t.Errorf("mode %s: got %s", mode, bytesOnly(got))
		}
		c.do("DELE a", 250)
		for _, flag := range []string{"--audit-log", "--xferlog"} {
			if n := strings.Count(p.log.String(), "the file of "+flag+" cannot be written"); n != 1 {
				t.Errorf("mode %s: it says %d times that %s cannot be written", mode, n, flag)
			}
		}
		if code, err := p.stop(); err != nil || code != 0 {
			t.Errorf("exit status %d, %v", code, err)
		}
	}
}
