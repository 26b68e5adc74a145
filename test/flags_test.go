package test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What a flag is for can be seen from outside.
func TestFlagsHaveTheirEffect(t *testing.T) {
	t.Parallel() // it mostly waits
	tests := []struct {
		flags string
		check func(t *testing.T, c *ftpClient, root string)
	}{
		{"--read-only", func(t *testing.T, c *ftpClient, root string) {
			c.fetch("RETR file")
			c.data()
			mention(t, c.do("STOR new", 550), "read-only")
			c.do("DELE file", 550)
			c.do("MKD new", 550)
			c.do("RNFR file", 350)
			c.do("RNTO new", 550)
			c.do("MFMT 20200102030405 file", 550)
		}},
		{"--no-active", func(t *testing.T, c *ftpClient, root string) {
			c.do("EPRT |1|127.0.0.1|5000|", 502)
			c.do("PORT 127,0,0,1,19,136", 502)
		}},
		{"--ascii convert", func(t *testing.T, c *ftpClient, root string) {
			c.do("TYPE A", 200)
			c.upload("STOR lines", []byte("one\r\ntwo\r\n"))
			if got, err := os.ReadFile(filepath.Join(root, "lines")); string(got) != "one\ntwo\n" {
				t.Errorf("stored %q, %v", got, err)
			}
			c.do("SIZE lines", 550)
		}},
		{"--ascii binary", func(t *testing.T, c *ftpClient, root string) {
			c.do("TYPE A", 200)
			c.upload("STOR lines", []byte("one\r\ntwo\r\n"))
			if n := c.size("lines"); n != 10 {
				t.Errorf("SIZE is %d", n)
			}
		}},
		{"--no-seek", func(t *testing.T, c *ftpClient, root string) {
			c.do("REST 1", 350)
			c.data()
			mention(t, c.do("RETR file", 550), "--no-seek")
		}},
		{"--no-modtime", func(t *testing.T, c *ftpClient, root string) {
			mention(t, c.do("MFMT 20200102030405 file", 550), "--no-modtime")
			c.do("MDTM file", 550)
		}},
		{"--file-perms 0604 --dir-perms 0705", func(t *testing.T, c *ftpClient, root string) {
			listing := string(c.fetch("LIST"))
			mention(t, listing, "-rw----r-- ")
			mention(t, listing, "drwx---r-x ")
		}},
		{"--uid 71 --gid 82", func(t *testing.T, c *ftpClient, root string) {
			if listing := string(c.fetch("LIST")); !regexp.MustCompile(` 71 +82 .* file\r\n`).MatchString(listing) {
				t.Errorf("owner and group are not in %q", listing)
			}
		}},
		{"--public-ip 192.0.2.7", func(t *testing.T, c *ftpClient, root string) {
			mention(t, c.do("PASV", 227), "(192,0,2,7,")
		}},
		{"--passive-port 12871-12873", func(t *testing.T, c *ftpClient, root string) {
			seen := map[string]bool{}
			for range 40 {
				seen[epsvPort.FindStringSubmatch(c.do("EPSV", 229))[1]] = true
			}
			for port := range seen {
				if port != "12871" && port != "12872" && port != "12873" {
					t.Errorf("port %s is not in the range", port)
				}
			}
			if len(seen) < 2 {
				t.Errorf("always the same port: %v", seen)
			}
		}},
		{"--passive-port 12874", func(t *testing.T, c *ftpClient, root string) {
			for range 3 {
				c.fetch("RETR file")
			}
			mention(t, c.do("EPSV", 229), "(|||12874|)")
		}},
		{"--idle-timeout 3s", func(t *testing.T, c *ftpClient, root string) { // a login has to fit in
			c.expect(421)
			c.ended()
		}},
		{"--data-timeout 2s", func(t *testing.T, c *ftpClient, root string) {
			c.do("EPSV", 229)
			c.do("RETR file", 150)
			c.expect(425)
			c.beginUpload("STOR new", []byte("some"))
			c.expect(426)
			c.do("DELE new", 250) // the part
		}},
		{"--partial-max-age 1ns", func(t *testing.T, c *ftpClient, root string) {
			reset(t, c.beginUpload("STOR new", []byte("some")))
			c.expect(426)
			c.do("SIZE new", 550)
		}},
		{"--accept-abrupt-close -vv", func(t *testing.T, c *ftpClient, root string) {
			data := c.beginUpload("STOR new", []byte("some"))
			c.conn.Close()
			data.Close()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.flags, func(t *testing.T) {
			root := t.TempDir()
			if err := os.WriteFile(filepath.Join(root, "file"), []byte("content"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(root, "dir"), 0o755); err != nil {
				t.Fatal(err)
			}
			p, addr := serve(t, root, strings.Fields(tt.flags)...)
			tt.check(t, login(t, "", addr), root)
			if strings.HasPrefix(tt.flags, "--accept-abrupt-close") {
				sessionEnded(t, p, 1)
				if got, err := os.ReadFile(filepath.Join(root, "new")); string(got) != "some" {
					t.Errorf("stored %q, %v", got, err)
				}
			}
		})
	}
}

func TestLoginTimeout(t *testing.T) {
	t.Parallel() // it mostly waits
	_, addr := serve(t, t.TempDir(), "--login-timeout", "3s")
	c := connect(t, "", addr)
	c.do("NOOP", 200)
	c.expect(421)
	c.ended()
}

func TestSessionsOfAnAddressAreLimited(t *testing.T) {
	_, addr := serve(t, t.TempDir(), "--max-sessions-per-ip", "1", "--max-sessions", "2")
	login(t, "", addr)
	for _, visit := range []struct{ from, greeting string }{
		{"", "421 Too many sessions from your address"},
		{"127.0.0.2", "220 "},
		{"127.0.0.3", "421 Too many sessions;"},
	} {
		conn, err := dial(visit.from, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, visit.greeting) {
			t.Errorf("from %q: %q, %v", visit.from, line, err)
		}
	}
}

func TestRequireTLSRefusesClearText(t *testing.T) {
	_, addr := serve(t, t.TempDir(), "--tls", "self-signed", "--cache-dir", t.TempDir(), "--require-tls")
	c := connect(t, "", addr)
	c.do("USER bob", 530)
	c.secure()
	c.do("USER bob", 331)
	c.do("PASS builder", 230)
	c.do("PROT C", 534)
}

// Other hosts have no part in a session, unless the administrator says so.
func TestStrangersAtTheDataConnection(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	stranger := func(c *ftpClient, addr string) ([]byte, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conn, err := dial("127.0.0.2", net.JoinHostPort(host, epsvPort.FindStringSubmatch(c.do("EPSV", 229))[1]))
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		c.send("RETR file")
		return io.ReadAll(conn)
	}
	t.Run("by default", func(t *testing.T) {
		_, addr := serve(t, root, "--data-timeout", "300ms")
		c := login(t, "", addr)
		c.do("EPRT |1|127.0.0.2|5000|", 501)
		if got, err := stranger(c, addr); len(got) > 0 || err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a stranger got %q, %v", got, err)
		}
		c.expect(150)
		c.expect(425)
	})
	t.Run("--allow-peer-mismatch", func(t *testing.T) {
		_, addr := serve(t, root, "--allow-peer-mismatch")
		c := login(t, "", addr)
		if got, err := stranger(c, addr); string(got) != "content" || err != nil {
			t.Errorf("the other address got %q, %v", got, err)
		}
		c.expect(150)
		c.expect(226)
	})
	t.Run("--allow-fxp", func(t *testing.T) {
		_, addr := serve(t, root, "--allow-fxp")
		login(t, "", addr).do("EPRT |1|127.0.0.2|5000|", 200)
	})
}

// LIST is in UTC unless told otherwise; MDTM always is.
func TestListTime(t *testing.T) {
	if _, err := time.LoadLocation("Asia/Tokyo"); err != nil {
		t.Skip("tzdata is not installed")
	}
	for zone, want := range map[string]string{"utc": "Jan  2 20:04", "local": "Jan  3 05:04"} {
		root := t.TempDir()
		file := filepath.Join(root, "file")
		when := time.Now().AddDate(0, -1, 0)
		when = time.Date(when.Year(), when.Month(), 2, 20, 4, 5, 0, time.UTC)
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
		args := []string{"serve", "ftp", root, "--addr", "127.0.0.1:0", "--user", "bob", "--list-time", zone}
		p, err := start(t.TempDir(), []string{"TZ=Asia/Tokyo"}, args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		addrs, err := p.addresses(1)
		if err != nil {
			t.Fatal(err)
		}
		c := login(t, "", addrs[0])
		want = strings.Replace(want, "Jan", when.Format("Jan"), 1)
		if listing := c.fetch("LIST"); !bytes.Contains(listing, []byte(want)) {
			t.Errorf("%s: %q is not in %q", zone, want, listing)
		}
		mention(t, c.do("MDTM file", 213), when.Format("20060102")+"200405")
	}
}

func mention(t *testing.T, text, what string) {
	t.Helper()
	if !strings.Contains(text, what) {
		t.Errorf("%q does not mention %q", text, what)
	}
}
