package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
)

// The sentences of the manual about the flags and the place of the disk cache, by the names of the
// subtests. Those about what the modes do are with the package that does it.

// kept is a ferry over another one, with a cache directory of its own.
type kept struct {
	*ftpClient
	t    *testing.T
	proc *process
	home string // where it runs
	far  string // the files of the other one
}

// keep starts it. @ in args and env stands for the directory that it runs in.
func keep(t *testing.T, s *site, env []string, args ...string) *kept {
	t.Helper()
	return keepOver(t, s, "far:", env, args...)
}

func keepOver(t *testing.T, s *site, remote string, env []string, args ...string) *kept {
	t.Helper()
	home := t.TempDir()
	there := strings.NewReplacer("@", home)
	all := append([]string{}, s.environment("far", s.addr)...)
	for _, e := range env {
		all = append(all, there.Replace(e))
	}
	command := []string{"serve", "ftp", remote, "--addr", "127.0.0.1:0", "--user", "bob", "-vv"}
	for _, a := range args {
		command = append(command, there.Replace(a))
	}
	p, err := start(home, all, command...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() || strings.Contains(p.log.String(), "DATA RACE") {
			t.Errorf("log of ferry:\n%s", p.log)
		}
	})
	addrs, err := p.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	return &kept{login(t, "", addrs[0]), t, p, home, s.files}
}

// files counts the files below dir of its home, in the part of each cache that is called state.
func (k *kept) files(dir, state string) int {
	k.t.Helper()
	n := 0
	for _, pattern := range []string{"*", "*/*"} { // copies are in directories by their first letters
		found, err := filepath.Glob(filepath.Join(k.home, dir, "vfs", "*", state, pattern))
		if err != nil {
			k.t.Fatal(err)
		}
		for _, name := range found {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				n++
			}
		}
	}
	return n
}

// until waits for a number of files in a state, which is to come by itself.
func (k *kept) until(dir, state string, n int) {
	k.t.Helper()
	for end := time.Now().Add(patience); k.files(dir, state) != n; k.do("NOOP", 200) {
		if time.Now().After(end) {
			k.t.Fatalf("%d files are in %s, want %d", k.files(dir, state), state, n)
		}
	}
}

func (k *kept) wantFiles(dir, state string, n int) {
	k.t.Helper()
	if got := k.files(dir, state); got != n {
		k.t.Errorf("%d files are in %s of %s, want %d", got, state, dir, n)
	}
}

// read has ferry fetch a file from the other one.
func (k *kept) read(name string, body []byte) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.far, name), body, 0o644); err != nil {
		k.t.Fatal(err)
	}
	if got := k.fetch("RETR " + name); !bytes.Equal(got, body) {
		k.t.Errorf("%s gives %s", name, bytesOnly(got))
	}
}

func TestCacheFlagsOfTheManual(t *testing.T) {
	s := startFerry(t)
	t.Run("--cache-dir: Directory rclone will use for caching.", func(t *testing.T) {
		k := keep(t, s, nil, "--cache-dir", "@/here", "--vfs-cache-mode", "writes", "--vfs-write-back", "1h")
		k.upload("STOR f", []byte("content"))
		k.wantFiles("here", "dirty", 1)
		k.wantFiles(".cache/ferry", "dirty", 0)
	})
	t.Run("--vfs-cache-max-age: Max age of objects in the cache. (default 1h0m0s)", func(t *testing.T) {
		short := keep(t, s, nil, "--vfs-cache-mode", "full", "--vfs-cache-poll-interval", "100ms", "--vfs-cache-max-age", "1s")
		long := keep(t, s, nil, "--vfs-cache-mode", "full", "--vfs-cache-poll-interval", "100ms")
		long.read("f", []byte("content"))
		long.until(".cache/ferry", "clean", 1)
		short.read("f", []byte("content"))
		short.until(".cache/ferry", "clean", 0)
		long.wantFiles(".cache/ferry", "clean", 1)
		mention(t, ferry(t, nil, "serve", "ftp", "--help"), "--vfs-cache-max-age duration")
	})
	t.Run(`--vfs-cache-mode: Cache mode off|minimal|writes|full (default "off")`, func(t *testing.T) {
		for _, mode := range []string{"", "off", "minimal", "writes", "full"} {
			args := []string{"--vfs-cache-mode", mode}
			if mode == "" {
				args = nil
			}
			k := keep(t, s, nil, args...)
			k.upload("STOR f", []byte("content"))
			k.read("g", []byte("content"))
			_, err := os.Stat(filepath.Join(k.home, ".cache/ferry/vfs"))
			if without := mode == "" || mode == "off"; os.IsNotExist(err) != without {
				t.Errorf("mode %q: the cache: %v", mode, err)
			}
		}
		p, err := start(t.TempDir(), nil, "serve", "ftp", t.TempDir(), "--vfs-cache-mode", "all")
		if err != nil {
			t.Fatal(err)
		}
		if code, err := p.wait(); code == 0 || err != nil {
			t.Errorf("a mode that does not exist: exit status %d, %v", code, err)
		}
		mention(t, p.log.String(), "off, minimal, writes")
	})
	t.Run("--vfs-cache-poll-interval: Interval to poll the cache for stale objects. (default 1m0s)", func(t *testing.T) {
		often := keep(t, s, nil, "--vfs-cache-mode", "full", "--vfs-cache-poll-interval", "50ms", "--vfs-cache-max-age", "100ms")
		seldom := keep(t, s, nil, "--vfs-cache-mode", "full", "--vfs-cache-poll-interval", "1h", "--vfs-cache-max-age", "100ms")
		seldom.read("f", []byte("content"))
		seldom.until(".cache/ferry", "clean", 1)
		often.read("f", []byte("content"))
		often.until(".cache/ferry", "clean", 0)
		seldom.wantFiles(".cache/ferry", "clean", 1)
	})
	t.Run("--vfs-cache-max-size: Max total size of objects in the cache. (default off)", func(t *testing.T) {
		for _, tt := range []struct {
			args []string
			all  bool
		}{{nil, true}, {[]string{"--vfs-cache-max-size", "1M"}, false}} {
			k := keep(t, s, nil, append(tt.args, "--vfs-cache-mode", "full")...)
			for _, name := range []string{"a", "b", "c"} {
				k.read(name, content(700<<10, name))
			}
			if tt.all {
				k.until(".cache/ferry", "clean", 3)
			} else if n := k.files(".cache/ferry", "clean"); n > 2 {
				t.Errorf("%d files of 700 KiB are in a cache of 1 MiB", n)
			}
		}
	})
}

// keptRemote is a remote of type cache over the other ferry.
var keptRemote = []string{
	"RCLONE_CONFIG_KEPT_TYPE=cache", "RCLONE_CONFIG_KEPT_REMOTE=far:", "RCLONE_CONFIG_KEPT_CHUNK_PATH=@/chunks",
}

func TestThePlaceOfTheCacheOfTheManual(t *testing.T) {
	s := startFerry(t)
	t.Run("If run with -vv rclone will print the location of the file cache.", func(t *testing.T) {
		k := keep(t, s, nil, "--vfs-cache-mode", "writes")
		mention(t, k.proc.log.String(), "dir="+filepath.Join(k.home, ".cache/ferry/vfs"))
	})
	t.Run("The files are stored in the user cache file area which is OS dependent but can be controlled with --cache-dir or setting the appropriate environment variable.", func(t *testing.T) {
		for _, tt := range []struct {
			env, args []string
			dir       string
		}{
			{nil, nil, ".cache/ferry"},
			{[]string{"XDG_CACHE_HOME=@/xdg"}, nil, "xdg/ferry"},
			{[]string{"FERRY_CACHE_DIR=@/one"}, nil, "one"},
			{[]string{"RCLONE_CACHE_DIR=@/two"}, nil, "two"},
			{[]string{"FERRY_CACHE_DIR=@/one"}, []string{"--cache-dir", "@/three"}, "three"},
		} {
			k := keep(t, s, tt.env, append(tt.args, "--vfs-cache-mode", "writes", "--vfs-write-back", "1h")...)
			k.upload("STOR f", []byte("content"))
			k.wantFiles(tt.dir, "dirty", 1)
		}
	})
	t.Run("Note that the VFS cache works in addition to the cache backend and you may find that you need one or the other or both.", func(t *testing.T) {
		for _, mode := range []string{"off", "full"} {
			k := keepOver(t, s, "kept:", keptRemote, "--vfs-cache-mode", mode, "--vfs-write-back", "0")
			k.upload("STOR "+mode, []byte("content"))
			k.read("both", []byte("read in mode "+mode))
			if got := string(k.fetch("RETR " + mode)); got != "content" {
				t.Errorf("%s holds %q", mode, got)
			}
			k.until(".cache/ferry", "dirty", 0)
			if got, err := os.ReadFile(filepath.Join(k.far, mode)); err != nil || string(got) != "content" {
				t.Errorf("the other one has %q, %v", got, err)
			}
		}
	})
	t.Run("You may prefer to look at the cache backend which does a much more sophisticated job of caching, including caching directory hierarchies and chunks of files.", func(t *testing.T) {
		proxy := badnet.NewProxy(t, s.addr, badnet.ProxyOptions{})
		through := &site{addr: proxy.Addr, options: s.options, files: s.files}
		k := keepOver(t, through, "kept:", keptRemote, "--dir-cache-time", "0")
		if err := os.MkdirAll(filepath.Join(k.far, "dir/sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		body := content(300<<10, "kept")
		k.read("dir/sub/f", body)
		k.fetch("LIST")
		before := string(k.fetch("LIST dir")) + string(k.fetch("LIST dir/sub"))
		proxy.Refuse(true)
		proxy.Reset()
		if after := string(k.fetch("LIST dir")) + string(k.fetch("LIST dir/sub")); after != before {
			t.Errorf("the listings were %q, and are %q", before, after)
		}
		if got := k.fetch("RETR dir/sub/f"); !bytes.Equal(got, body) {
			t.Errorf("the file gives %s", bytesOnly(got))
		}
	})
}
