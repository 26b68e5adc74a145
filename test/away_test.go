package test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A disk is unplugged and comes back: a directory that has gone is not an empty one, whose mirror
// would be emptied too.
func TestAServedDirectoryVanishesAndComesBack(t *testing.T) {
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "disk")
			mustDo(t, os.Mkdir(root, 0o777))
			_, addr := serve(t, root, "--vfs-cache-mode", mode, "--cache-dir", t.TempDir(), "--vfs-write-back", "0s")
			c := login(t, "", addr)
			c.upload("STOR f", []byte("old"))
			c.do("MKD sub", 257)
			eventually(t, "f on the disk", func() bool { return holds(root, "f", "old") })
			mustDo(t, os.RemoveAll(root))
			for _, listing := range []string{"LIST", "NLST", "MLSD", "LIST sub"} {
				c.data()
				c.do(listing, 451)
			}
			c.do("CWD nobody/knows", 451)
			c.data()
			c.do("RETR g", 451)
			if mode == "off" {
				c.data()
				mention(t, c.do("STOR new", 451), "not there")
				c.do("MKD made", 451)
				c.do("DELE f", 451)
			}
			mustDo(t, os.Mkdir(root, 0o777))
			c.upload("STOR new", []byte("new"))
			eventually(t, "a listing of what is new", func() bool {
				return slices.Equal(lines(c.fetch("NLST")), []string{"new"})
			})
			eventually(t, "new on the disk", func() bool { return holds(root, "new", "new") })
		})
	}
}

// Who asks whether ferry can serve is told that the disk is away.
func TestADiskThatIsAwayIsNotReady(t *testing.T) {
	for _, mode := range []string{"off", "writes"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "disk")
			mustDo(t, os.Mkdir(root, 0o777))
			p, addr := serve(t, root, "--vfs-cache-mode", mode, "--cache-dir", t.TempDir(), "--rc", "--rc-addr", "127.0.0.1:0")
			control := controlAddress(t, p.log)
			is := func(path string, want int) func() bool {
				return func() bool {
					r, err := http.Get(control + path) //nolint:noctx // the test ends with it
					if err != nil {
						t.Fatal(err)
					}
					_ = r.Body.Close()
					return r.StatusCode == want
				}
			}
			login(t, "", addr).fetch("LIST")
			if !is("readyz", http.StatusOK)() {
				t.Error("it is not ready")
			}
			mustDo(t, os.Remove(root))
			eventually(t, "that it is not ready", is("readyz", http.StatusServiceUnavailable))
			if !is("livez", http.StatusOK)() {
				t.Error("it does not live")
			}
			mustDo(t, os.Mkdir(root, 0o777))
			eventually(t, "that it is ready", is("readyz", http.StatusOK))
		})
	}
}

// What waits in a cache is not put beneath the mount point, and what comes is kept until the disk
// is there.
func TestAnUploadWaitsForADiskThatIsAway(t *testing.T) {
	root := filepath.Join(t.TempDir(), "disk")
	mustDo(t, os.Mkdir(root, 0o777))
	_, addr := serve(t, root, "--vfs-cache-mode", "writes", "--cache-dir", t.TempDir(), "--vfs-write-back", "0s")
	c := login(t, "", addr)
	c.fetch("LIST")
	mustDo(t, os.Remove(root))
	c.upload("STOR new", []byte("new"))
	if got := c.fetch("RETR new"); string(got) != "new" {
		t.Errorf("it reads %q", got)
	}
	c.do("CWD nobody/knows", 451) // it was asked for, and is not made
	if _, err := os.Lstat(root); err == nil {
		t.Error("the directory was made")
	}
	mustDo(t, os.Mkdir(root, 0o777))
	eventually(t, "new on the disk", func() bool { return holds(root, "new", "new") })
}

// With --require-mount ferry starts before the disk is there.
func TestADiskThatIsRequired(t *testing.T) {
	root := filepath.Join(t.TempDir(), "disk", "ftp")
	_, addr := serve(t, root, "--require-mount")
	c := login(t, "", addr)
	c.data()
	mention(t, c.do("LIST", 451), "not there")
	c.data()
	c.do("STOR f", 451)
	if _, err := os.Lstat(root); err == nil {
		t.Error("the directory was made")
	}
}

// holds reports whether a file of dir has content.
func holds(dir, name, content string) bool {
	b, err := os.ReadFile(filepath.Join(dir, name))
	return err == nil && string(b) == content
}

// eventually waits until a thing is so that nothing tells of.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
