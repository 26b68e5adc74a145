package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The sentences of the manual that ferry follows, by the names of the subtests. Those about cache
// modes are elsewhere, and so are the commands that flush the directory cache.

// startFar runs a server whose files can be changed behind ferry's back. run serves it, and logs in
// there.
func startFar(t *testing.T) (files string, run func(args ...string) *ftpClient) {
	s := startFerry(t)
	return s.files, func(args ...string) *ftpClient {
		t.Helper()
		env := s.environment("far", s.addr)
		args = append([]string{"serve", "ftp", "far:", "--addr", "127.0.0.1:0", "--user", "bob"}, args...)
		p, err := start(t.TempDir(), env, args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		addrs, err := p.addresses(1)
		if err != nil {
			t.Fatal(err)
		}
		return login(t, "", addrs[0])
	}
}

func write(t *testing.T, file, body string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func lists(c *ftpClient, name string) bool { return slices.Contains(lines(c.fetch("NLST")), name) }

func TestDirectoryCacheOfTheManual(t *testing.T) {
	t.Run("Using the --dir-cache-time flag, you can set how long a directory should be considered up to date and not refreshed from the backend.", func(t *testing.T) {
		files, run := startFar(t)
		for _, tt := range []struct {
			time string
			seen bool
		}{{"1h", false}, {"0", true}} {
			c := run("--dir-cache-time", tt.time)
			c.fetch("NLST")
			write(t, filepath.Join(files, "new-"+tt.time), "new")
			if got := lists(c, "new-"+tt.time); got != tt.seen {
				t.Errorf("--dir-cache-time %s: a new file is seen: %v", tt.time, got)
			}
		}
	})
	t.Run("Changes made locally in the mount may appear immediately or invalidate the cache.", func(t *testing.T) {
		_, run := startFar(t)
		c := run("--dir-cache-time", "1h")
		other := login(t, "", c.conn.RemoteAddr().String())
		if lists(other, "mine") {
			t.Fatal("it is there before it is sent")
		}
		c.upload("STOR mine", []byte("content"))
		if !lists(c, "mine") || !lists(other, "mine") {
			t.Error("an upload is not seen at once")
		}
		c.do("DELE mine", 250)
		if lists(c, "mine") || lists(other, "mine") {
			t.Error("a file that was deleted is still seen")
		}
	})
	t.Run("However, changes done on the remote will only be picked up once the cache expires.", func(t *testing.T) {
		const fresh = time.Second
		files, run := startFar(t)
		c := run("--dir-cache-time", fresh.String())
		begun := time.Now()
		c.fetch("NLST")
		write(t, filepath.Join(files, "new"), "new")
		for !lists(c, "new") {
			if time.Since(begun) > patience {
				t.Fatal("it is never seen")
			}
		}
		if took := time.Since(begun); took < fresh {
			t.Errorf("it was seen after %v", took)
		}
	})
}

func TestFlagsOfTheManual(t *testing.T) {
	for _, tt := range []struct {
		flags, sentence string
		check           func(t *testing.T, c *ftpClient, p *process)
	}{
		{"--addr localhost:0", "IPaddress:Port or :Port to bind server to.", func(t *testing.T, c *ftpClient, p *process) {
			addrs, err := p.addresses(2) // serve has asked for 127.0.0.1:0 as well
			if err != nil || addrs[0] == addrs[1] {
				t.Errorf("it serves on %v, %v", addrs, err)
			}
		}},
		{"--dir-perms 0705", "Directory permissions", shows(`drwx---r-x .* dir`)},
		{"--file-perms 0604", "File permissions", shows(`-rw----r-- .* file`)},
		{"--gid 82", "Override the gid field set by the filesystem.", shows(` 82 .* file`)},
		{"--uid 71", "Override the uid field set by the filesystem.", shows(` 71 .* file`)},
		{"--umask 0077", "Override the permission bits set by the filesystem.", shows(`-rw------- .* file`)},
		{"--no-modtime", "Don't read/write the modification time (can speed things up).", func(t *testing.T, c *ftpClient, _ *process) {
			c.do("MDTM file", 550)
			c.do("MFMT 20200102030405 file", 550)
		}},
		{"--no-seek", "Don't allow seeking in files.", func(t *testing.T, c *ftpClient, _ *process) {
			c.do("REST 1", 350)
			c.data()
			c.do("RETR file", 550)
		}},
		{"--passive-port 12881-12882", "Passive port range to use.", func(t *testing.T, c *ftpClient, _ *process) {
			if port := epsvPort.FindStringSubmatch(c.do("EPSV", 229))[1]; port != "12881" && port != "12882" {
				t.Errorf("port %s", port)
			}
		}},
		{"--public-ip 192.0.2.7", "Public IP address to advertise for passive connections.", func(t *testing.T, c *ftpClient, _ *process) {
			mention(t, c.do("PASV", 227), "(192,0,2,7,")
		}},
		{"--read-only", "Mount read-only.", func(t *testing.T, c *ftpClient, _ *process) {
			c.data()
			mention(t, c.do("STOR new", 550), "read-only")
			c.do("DELE file", 550)
			if got := string(c.fetch("RETR file")); got != "content" {
				t.Errorf("the file holds %q", got)
			}
		}},
	} {
		t.Run(tt.flags+": "+tt.sentence, func(t *testing.T) {
			root := t.TempDir()
			write(t, filepath.Join(root, "file"), "content")
			if err := os.Mkdir(filepath.Join(root, "dir"), 0o755); err != nil {
				t.Fatal(err)
			}
			p, addr := serve(t, root, strings.Fields(tt.flags)...)
			tt.check(t, login(t, "", addr), p)
		})
	}
}

// shows is a check that a listing has a line like pattern.
func shows(pattern string) func(t *testing.T, c *ftpClient, _ *process) {
	return func(t *testing.T, c *ftpClient, _ *process) {
		if listing := string(c.fetch("LIST")); !regexp.MustCompile(pattern + `\r\n`).MatchString(listing) {
			t.Errorf("there is no line like %q in\n%s", pattern, listing)
		}
	}
}

func TestLoginFlagsOfTheManual(t *testing.T) {
	try := func(t *testing.T, user, pass string, code int, flags ...string) {
		t.Helper()
		p, err := start(t.TempDir(), nil, append([]string{"serve", "ftp", t.TempDir(), "--addr", "127.0.0.1:0"}, flags...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		addrs, err := p.addresses(1)
		if err != nil {
			t.Fatal(err)
		}
		c := connect(t, "", addrs[0])
		c.do("USER "+user, 331)
		c.do("PASS "+pass, code)
	}
	t.Run(`--user: User name for authentication. (default "anonymous")`, func(t *testing.T) {
		try(t, "anonymous", "x", 230)
		try(t, "bob", "x", 530)
		try(t, "bob", "x", 230, "--user", "bob")
		try(t, "anonymous", "x", 530, "--user", "bob")
	})
	t.Run("--pass: Password for authentication. (empty value allow every password)", func(t *testing.T) {
		try(t, "bob", "right", 230, "--user", "bob", "--pass", "right")
		try(t, "bob", "wrong", 530, "--user", "bob", "--pass", "right")
		try(t, "bob", "anything", 230, "--user", "bob", "--pass", "")
	})
	t.Run("-h, --help: help for ftp", func(t *testing.T) {
		for _, flag := range []string{"-h", "--help"} {
			help := ferry(t, nil, "serve", "ftp", flag)
			for _, want := range []string{"ferry serve ftp remote:path", "--dir-cache-time", "(default 5m)"} {
				mention(t, help, want)
			}
		}
	})
}

func TestTheCacheTimeOfTheManual(t *testing.T) {
	t.Run("--dir-cache-time: Time to cache directory entries for. (default 5m0s)", func(t *testing.T) {
		files, run := startFar(t)
		c := run()
		c.fetch("NLST")
		for i := range 3 {
			name := fmt.Sprint("new", i)
			write(t, filepath.Join(files, name), "new")
			if lists(c, name) {
				t.Errorf("%s is seen at once", name)
			}
		}
	})
}
