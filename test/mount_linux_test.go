package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A disk is served, ferry ends, the disk is unmounted, and ferry starts again.
func TestAStartWithoutTheDiskThatWasServed(t *testing.T) {
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Skip("the system does not let the test mount anything:", err)
	}
	for _, mode := range []string{"off", "writes"} {
		t.Run(mode, func(t *testing.T) {
			root, state := filepath.Join(t.TempDir(), "disk"), t.TempDir()
			mustDo(t, os.Mkdir(root, 0o777))
			args := []string{"serve", "ftp", root, "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder",
				"--cache-dir", state, "--vfs-cache-mode", mode, "--vfs-write-back", "0s"}
			mounted := append([]string{"-m", "sh", "-c", `mount -t tmpfs ferry-test "$0" && exec "$@"`, root, ferryBinary}, args...)
			storeThere := func() {
				t.Helper()
				p, addr := serveBy(t, "unshare", mounted...)
				login(t, "", addr).upload("STOR f", []byte("on the disk"))
				if _, err := p.stop(); err != nil {
					t.Fatal(err)
				}
			}
			storeThere()
			p, addr := serveBy(t, ferryBinary, args...)
			c := login(t, "", addr)
			c.data()
			mention(t, c.do("LIST", 451), "not there")
			if mode == "off" {
				c.data()
				c.do("STOR new", 451)
			} else {
				c.upload("STOR new", []byte("new"))
			}
			mustDo(t, p.log.waitForLine(`nothing is mounted .*remove .*mount=`+root))
			if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
				t.Errorf("beneath the mount point are %v, %v", left, err)
			}
			if _, err := p.stop(); err != nil {
				t.Fatal(err)
			}
			storeThere()

			// It is to be a plain directory from now on.
			p, addr = serveBy(t, ferryBinary, append(args, "--require-mount=false")...)
			mustDo(t, p.log.waitForLine(`is forgotten.*mount=`+root))
			login(t, "", addr).upload("STOR plain", []byte("plain"))
			eventually(t, "a plain directory", func() bool { return holds(root, "plain", "plain") })
			if _, err := p.stop(); err != nil {
				t.Fatal(err)
			}
			_, addr = serveBy(t, ferryBinary, args...)
			if got := login(t, "", addr).fetch("RETR plain"); string(got) != "plain" {
				t.Errorf("it reads %q", got)
			}
		})
	}
}
