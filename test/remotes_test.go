package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/remote/remotetest"
)

// A place is a remote behind a real server, as a user names it to ferry.
type place struct {
	name string
	// start runs the server and returns the remote string, and the environment that describes the rest.
	start     func(t *testing.T) (remote string, env []string)
	continues bool // APPE and REST with STOR work without a cache
	timed     bool // modification times can be set
}

var places = []place{
	{"local", startLocal, true, true},
	{"ftp", startFerry, false, true},
	{"s3", startGateway, true, true},
	{"webdav", startApache, false, false},
}

func startLocal(t *testing.T) (string, []string) {
	return "here:" + t.TempDir(), []string{"RCLONE_CONFIG_HERE_TYPE=local"}
}

// startFerry runs another ferry, which is an FTP server like any other.
func startFerry(t *testing.T) (string, []string) {
	_, addr := serve(t, t.TempDir())
	host, port, _ := strings.Cut(addr, ":")
	secret, err := exec.Command(ferryBinary, "obscure", "builder").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "far:", []string{
		"RCLONE_CONFIG_FAR_TYPE=ftp", "RCLONE_CONFIG_FAR_HOST=" + host, "RCLONE_CONFIG_FAR_PORT=" + port,
		"RCLONE_CONFIG_FAR_USER=bob", "RCLONE_CONFIG_FAR_PASS=" + strings.TrimSpace(string(secret)),
	}
}

// startGateway runs an S3 server over a directory.
func startGateway(t *testing.T) (string, []string) {
	program := remotetest.BuildProgram(t, "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
	dir := t.TempDir()
	for _, sub := range []string{"data/bucket", "meta"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	addr := fmt.Sprintf("127.0.0.1:%d", remotetest.FreePort(t))
	remotetest.StartWebServer(t, "http://"+addr, "", exec.Command(program, "--access", "key", "--secret", "secret", "--port", addr,
		"--quiet", "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data")))
	return ":s3,provider=Other,endpoint=\"http://" + addr + "\",access_key_id=key,secret_access_key=secret:bucket/below", nil
}

// startApache runs a WebDAV server.
func startApache(t *testing.T) (string, []string) {
	url, _ := remotetest.StartApache(t, []string{"dav", "dav_fs"}, "Dav On")
	return "dav:", []string{"RCLONE_CONFIG_DAV_TYPE=webdav", "RCLONE_CONFIG_DAV_URL=" + url}
}

// serveAt runs ferry over the remote of a place.
func serveAt(t *testing.T, remote string, env []string) (*process, string) {
	t.Helper()
	args := []string{"serve", "ftp", remote, "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder", "-v"}
	proc, err := start(t.TempDir(), append(env, "RCLONE_CONFIG=notfound"), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proc.kill()
		if t.Failed() || strings.Contains(proc.log.String(), "DATA RACE") {
			t.Errorf("log of ferry:\n%s", proc.log)
		}
		if strings.Contains(proc.log.String(), "secret_access_key") {
			t.Error("the log shows parameters of the remote")
		}
	})
	addrs, err := proc.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return proc, addrs[0]
}

func eachPlace(t *testing.T, test func(t *testing.T, p place)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

func TestFilesGoToARemoteAndBack(t *testing.T) {
	body := content(24<<20+5, "remote")
	eachPlace(t, func(t *testing.T, p place) {
		remote, env := p.start(t)
		_, addr := serveAt(t, remote, env)
		c := login(t, "", addr)
		c.do("MKD dir", 257)
		c.do("CWD dir", 250)
		c.upload("STOR big file", body)
		c.upload("STOR empty", nil)
		if n := c.size("big file"); n != len(body) {
			t.Errorf("SIZE is %d", n)
		}
		if got := c.fetch("RETR big file"); !bytes.Equal(got, body) {
			t.Errorf("it comes back as other %s", bytesOnly(got))
		}
		c.do("REST 20000000", 350)
		if got := c.fetch("RETR big file"); !bytes.Equal(got, body[20000000:]) {
			t.Errorf("its end comes back as other %s", bytesOnly(got))
		}
		if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"big file", "empty"}) {
			t.Errorf("listed: %q", got)
		}
		c.do("RNFR big file", 350)
		c.do("RNTO ../moved", 250)
		c.do("DELE empty", 250)
		c.do("CWD ..", 250)
		if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"dir", "moved"}) {
			t.Errorf("listed: %q", got)
		}
		if p.timed {
			c.do("MFMT 20200102030405 moved", 213)
			if got := c.do("MDTM moved", 213); got != "213 20200102030405" {
				t.Errorf("MDTM: %q", got)
			}
		}
		c.do("RMD dir", 250)
		c.do("DELE moved", 250)
		c.do("SIZE moved", 550)
		if got := c.fetch("NLST"); len(got) != 0 {
			t.Errorf("listed: %q", got)
		}
	})
}

func TestAnOverwriteOnARemoteThatIsCutLeavesTheOldFile(t *testing.T) {
	body := content(12<<20, "new")
	eachPlace(t, func(t *testing.T, p place) {
		remote, env := p.start(t)
		proc, addr := serveAt(t, remote, env)
		c := login(t, "", addr)
		c.upload("STOR f", []byte("old"))
		data := c.beginUpload("STOR f", body[:8<<20])
		reset(t, data)
		c.expect(426)
		if got := c.fetch("RETR f"); string(got) != "old" {
			t.Errorf("after a reset the file is other %s", bytesOnly(got))
		}
		c.beginUpload("STOR f", body[:8<<20])
		proc.kill()
		_, addr = serveAt(t, remote, env)
		if got := login(t, "", addr).fetch("RETR f"); string(got) != "old" {
			t.Errorf("after ferry was killed the file is other %s", bytesOnly(got))
		}
	})
}

func TestContinuingAFileOnARemote(t *testing.T) {
	eachPlace(t, func(t *testing.T, p place) {
		remote, env := p.start(t)
		_, addr := serveAt(t, remote, env)
		c := login(t, "", addr)
		c.upload("STOR f", []byte("0123456789"))
		if !p.continues {
			c.data()
			if reply := c.do("APPE f", 550); !strings.Contains(reply, "--vfs-cache-mode") {
				t.Errorf("APPE is refused with %q", reply)
			}
			return
		}
		c.upload("APPE f", []byte("abc"))
		c.do("REST 5", 350)
		c.upload("STOR f", []byte("xyz"))
		if got := c.fetch("RETR f"); string(got) != "01234xyz" {
			t.Errorf("the file is %q", got)
		}
	})
}

// lines are those of a listing, sorted.
func lines(b []byte) []string {
	all := strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n")
	slices.Sort(all)
	return all
}
