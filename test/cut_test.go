package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	cutSize  = 100 << 20 // of the file that is sent
	cutAfter = 60 << 20  // of what has been sent when it is cut
)

// cuts are the ways in which an upload ends early. Each sends the first cutAfter bytes of body as
// name and returns when the server is done with them.
var cuts = []struct {
	name string
	cut  func(t *testing.T, p *process, addr, name string, body []byte)
}{
	{"client is killed", cutByKill},
	{"data connection is reset", cutByReset},
	{"control connection is lost", cutByControl},
	{"both connections are closed", cutByBoth},
	{"ABOR", cutByABOR},
}

func TestOverwriteThatIsCutLeavesTheOldFile(t *testing.T) {
	old, body := content(cutSize, "old"), content(cutSize, "new")
	for _, c := range cuts {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, "file")
			if err := os.WriteFile(file, old, 0o666); err != nil {
				t.Fatal(err)
			}
			p, addr := serve(t, root, "-vv")
			c.cut(t, p, addr, "file", body)
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, old) {
				t.Errorf("the old content is gone: %s, %v", bytesOnly(got), err)
			}
			next := login(t, "", addr)
			if n := next.size("file"); n != cutSize {
				t.Errorf("SIZE is %d, want that of the old file", n)
			}
			if got := next.fetch("RETR file"); !bytes.Equal(got, old) {
				t.Errorf("RETR gives %s that are not the old content", bytesOnly(got))
			}
		})
	}
}

func TestUploadThatIsCutIsContinuedByREST(t *testing.T) {
	body := content(cutSize, "new")
	for _, c := range cuts {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			// Without a password anybody may log in; who comes from another address is another
			// user.
			p, addr := serveBy(t, ferryBinary, "serve", "ftp", root, "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "", "-vv")
			c.cut(t, p, addr, "file", body)
			if _, err := os.Lstat(filepath.Join(root, "file")); !os.IsNotExist(err) {
				t.Errorf("a part was published: %v", err)
			}
			stranger := login(t, "127.0.0.2", addr)
			for _, listing := range []string{"LIST", "NLST", "MLSD"} {
				if got := stranger.fetch(listing); bytes.Contains(got, []byte("file")) || bytes.Contains(got, []byte("ferry-part")) {
					t.Errorf("%s of another user shows the part:\n%s", listing, got)
				}
			}
			stranger.do("SIZE file", 550)
			stranger.do("DELE file", 550)

			owner := login(t, "", addr)
			n := owner.size("file")
			if n == 0 || n > cutAfter {
				t.Fatalf("SIZE of the part is %d, at most %d were sent", n, cutAfter)
			}
			owner.do(fmt.Sprintf("REST %d", n), 350)
			owner.upload("STOR file", body[n:])
			if got, err := os.ReadFile(filepath.Join(root, "file")); err != nil || !bytes.Equal(got, body) {
				t.Errorf("the continued file has %s, not what was sent; %v", bytesOnly(got), err)
			}
			if left, err := os.ReadDir(root); err != nil || len(left) != 1 {
				t.Errorf("something was left beside the file: %v, %v", left, err)
			}
		})
	}
}

// The server is killed instead of the client: the next one finds the part.
func TestServerThatIsKilledLeavesThePart(t *testing.T) {
	root, body := t.TempDir(), content(cutSize, "new")
	p, addr := serve(t, root)
	c := login(t, "", addr)
	c.beginUpload("STOR file", body[:cutAfter])
	p.kill()
	if _, err := os.Lstat(filepath.Join(root, "file")); !os.IsNotExist(err) {
		t.Errorf("a part was published: %v", err)
	}
	_, addr = serve(t, root)
	c = login(t, "", addr)
	n := c.size("file")
	if n == 0 || n > cutAfter {
		t.Fatalf("SIZE of the part is %d, at most %d were sent", n, cutAfter)
	}
	c.upload("APPE file", body[n:])
	if got, err := os.ReadFile(filepath.Join(root, "file")); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the continued file has %s, not what was sent; %v", bytesOnly(got), err)
	}
}

// sessionEnded waits until the server has let go of its n-th session.
func sessionEnded(t *testing.T, p *process, n int) {
	t.Helper()
	_, err := p.log.waitFor(func(text string) bool {
		return strings.Count(text, "connection closed")+strings.Count(text, "connection lost") >= n
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cutByKill feeds curl through a pipe and kills it with SIGKILL when it has taken everything it was
// given.
func cutByKill(t *testing.T, p *process, addr, name string, body []byte) {
	needPrograms(t, "curl")
	curl := exec.Command("curl", "-s", "-S", "-u", "bob:builder", "-T", "-", "ftp://"+addr+"/"+name)
	var said strings.Builder
	curl.Stderr = &said
	in, err := curl.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := curl.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = in.Write(body[:cutAfter])
	_ = curl.Process.Kill()
	_ = curl.Wait() // reports the kill
	if err != nil {
		t.Fatalf("feeding curl: %v; it said %q", err, said.String())
	}
	sessionEnded(t, p, 1)
}

func cutByReset(t *testing.T, p *process, addr, name string, body []byte) {
	c := login(t, "", addr)
	reset(t, c.beginUpload("STOR "+name, body[:cutAfter]))
	c.expect(426)
	c.do("NOOP", 200)
	c.do("QUIT", 221)
}

func cutByControl(t *testing.T, p *process, addr, name string, body []byte) {
	c := login(t, "", addr)
	data := c.beginUpload("STOR "+name, body[:cutAfter])
	reset(t, c.conn)
	if n, err := io.Copy(io.Discard, data); n > 0 {
		t.Errorf("%d bytes came back on the data connection: %v", n, err)
	}
	sessionEnded(t, p, 1)
}

// cutByBoth is what the death of a client looks like: the kernel closes both connections in good
// order.
func cutByBoth(t *testing.T, p *process, addr, name string, body []byte) {
	c := login(t, "", addr)
	data := c.beginUpload("STOR "+name, body[:cutAfter])
	for _, conn := range []net.Conn{c.conn, data} {
		conn.Close()
	}
	sessionEnded(t, p, 1)
}

func cutByABOR(t *testing.T, p *process, addr, name string, body []byte) {
	c := login(t, "", addr)
	c.beginUpload("STOR "+name, body[:cutAfter])
	c.do("ABOR", 426)
	c.expect(226)
	c.do("NOOP", 200)
	c.do("QUIT", 221)
}
