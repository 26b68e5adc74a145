package ftp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

// A program is a server that is not part of this house, installed or unpacked from its Debian
// package: packages of FTP servers exclude each other.
type program struct {
	root string // where the package was unpacked; "" = it is installed
	bin  string
}

// findProgram looks for bin of a Debian package, and unpacks the package into the user's cache
// where that is possible.
func findProgram(t *testing.T, bin, debian string) program {
	t.Helper()
	if testing.Short() {
		t.Skipf("%s is not for short tests", bin)
	}
	if os.Getuid() != 0 {
		t.Skipf("%s needs root", bin)
	}
	if path, err := exec.LookPath(bin); err == nil {
		return program{bin: path}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("%s is missing (package %s): %v", bin, debian, err)
	}
	root := filepath.Join(cache, "ferry-test", debian)
	p := program{root: root, bin: filepath.Join(root, "usr/sbin", bin)}
	if _, err := os.Stat(p.bin); err == nil {
		return p
	}
	if err := unpack(t, root, debian); err != nil {
		t.Skipf("%s is missing (package %s): %v", bin, debian, err)
	}
	return p
}

// unpack puts a package, and those that it needs and that are not installed, below root.
func unpack(t *testing.T, root, debian string) error {
	t.Helper()
	plan, err := exec.CommandContext(t.Context(), "apt-get", "install", "--simulate", "--no-install-recommends", debian).Output()
	if err != nil {
		return fmt.Errorf("apt-get install --simulate: %w", err)
	}
	dir := t.TempDir()
	for line := range strings.Lines(string(plan)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "Inst" {
			continue
		}
		fetch := exec.CommandContext(t.Context(), "apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", f[1])
		fetch.Dir = dir
		if out, err := fetch.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get download %s: %w: %s", f[1], err, out)
		}
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(archives) == 0 {
		return fmt.Errorf("apt-get downloads nothing: %w", err)
	}
	for _, a := range archives {
		if out, err := exec.CommandContext(t.Context(), "dpkg", "-x", a, root).CombinedOutput(); err != nil {
			return fmt.Errorf("dpkg -x: %w: %s", err, out)
		}
	}
	return nil
}

// command runs a program of the package.
func (p program) command(bin string, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, args...)
	libs, _ := filepath.Glob(filepath.Join(p.root, "usr/lib/*-linux-gnu*")) // the pattern is well formed
	if more, _ := filepath.Glob(filepath.Join(p.root, "lib/*-linux-gnu*")); p.root != "" {
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(append(libs, more...), ":"))
	}
	return cmd
}

// start runs cmd until the test ends, and waits until it listens on port.
func start(t *testing.T, cmd *exec.Cmd, port int) {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("%s does not listen: %s", cmd.Path, out.String())
		}
		time.Sleep(20 * time.Millisecond) // another process, which tells nobody
	}
}

// servedDir returns a directory that a server whose users are not root can reach. vsftpd wants it
// not to be theirs to write to.
func servedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ferry-ftp-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runOn checks remotes that are fresh directories of a server whose root is dir.
func runOn(t *testing.T, dir string, o ftp.Options) {
	n := 0
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		n++
		name := fmt.Sprintf("t%d", n)
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		return openRemote(t, "/"+name, o)
	})
}

// vsftpdConf lets the anonymous user do everything. The account behind it is daemon, whose home
// directory exists.
const vsftpdConf = `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=%d
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
ftp_username=daemon
nopriv_user=nobody
anon_root=%s
secure_chroot_dir=%s
allow_writeable_chroot=YES
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
mdtm_write=YES
xferlog_enable=NO
`

func TestRemoteOnVsftpd(t *testing.T) {
	p := findProgram(t, "vsftpd", "vsftpd")
	dir, port := servedDir(t), servers.FreePort(t)
	conf := filepath.Join(t.TempDir(), "vsftpd.conf")
	empty := t.TempDir()
	if err := os.WriteFile(conf, fmt.Appendf(nil, vsftpdConf, port, dir, empty), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, p.command(p.bin, conf), port)
	runOn(t, dir, ftp.Options{Host: "127.0.0.1", Port: port, Encoding: ftp.Encoding, WriteMDTM: true})
}

func TestRemoteOnPureFTPd(t *testing.T) {
	p := findProgram(t, "pure-ftpd", "pure-ftpd")
	dir, port, state := servedDir(t), servers.FreePort(t), t.TempDir()
	users, db := filepath.Join(state, "users"), filepath.Join(state, "users.pdb")
	pw := filepath.Join(p.root, "/usr/bin/pure-pw")
	// A hash that is quick to compute: pure-pw would choose one that takes a second for each login.
	line := "bob:$1$ferry$7q1vLuu6vDnCxgREE7nVi.:65534:65534::" + dir + "/./::::::::::::\n"
	if err := os.WriteFile(users, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := p.command(pw, "mkdb", db, "-f", users).CombinedOutput(); err != nil {
		t.Fatalf("pure-pw mkdb: %v: %s", err, out)
	}
	start(t, p.command(p.bin, "--bind", fmt.Sprintf("127.0.0.1,%d", port), "--login", "puredb:"+db, "--noanonymous",
		"--ipv4only", "--dontresolve", "--minuid", "1", "--limitrecursion", "1000000:10", "--syslogfacility", "none",
		"--maxclientsnumber", "200", "--maxclientsperip", "200", "--pidfile", filepath.Join(state, "pid")), port)
	runOn(t, dir, ftp.Options{Host: "127.0.0.1", Port: port, User: "bob", Password: testPassword, Encoding: ftp.Encoding})
}
