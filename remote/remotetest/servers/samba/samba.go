// Package samba runs the SMB server of the system, for tests of what speaks SMB.
package samba

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/servers"
)

// Password is that of User.
const Password = "correct horse"

// startTime is how long the server may take until it answers.
const startTime = time.Minute

// A Server is a running Samba.
type Server struct {
	Addr string // host and port
	User string // who may log in, by Password
	Dir  string // what the share "files" shows, and the share "hidden$"
	// Other is what the share "other" shows.
	Other string
}

// Start starts a server that ends with the test, or skips the test if there is none. global are
// lines for all shares.
func Start(t *testing.T, global ...string) *Server {
	t.Helper()
	program, passwd := servers.FindProgram(t, "smbd"), servers.FindProgram(t, "smbpasswd")
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), servers.FreePort(t)
	s := &Server{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), User: u.Username,
		Dir: filepath.Join(dir, "files"), Other: filepath.Join(dir, "other"),
	}
	conf := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(conf, []byte(s.configure(t, dir, port, global)), 0o600); err != nil {
		t.Fatal(err)
	}
	add := exec.Command(passwd, "-c", conf, "-a", "-s", s.User)
	add.Stdin = strings.NewReader(Password + "\n" + Password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("smbpasswd: %v: %s", err, out)
	}
	t.Cleanup(func() { killHelpers(filepath.Join(dir, "pid")) })
	s.run(t, exec.Command(program, "-F", "--no-process-group", "--debug-stdout", "-s", conf, "-p", strconv.Itoa(port)))
	return s
}

// configure makes the directories of the server and returns its configuration.
func (s *Server) configure(t *testing.T, dir string, port int, global []string) string {
	t.Helper()
	var conf strings.Builder
	fmt.Fprintf(&conf, "[global]\nserver role = standalone server\ninterfaces = lo\nbind interfaces only = yes\nsmb ports = %d\n", port)
	for _, kind := range []string{"private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"} {
		own := filepath.Join(dir, strings.Fields(kind)[0])
		if err := os.Mkdir(own, 0o700); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&conf, "%s = %s\n", kind, own)
	}
	conf.WriteString(`load printers = no
printing = bsd
printcap name = /dev/null
disable spoolss = yes
disable netbios = yes
map to guest = never
passdb backend = tdbsam
`)
	for _, line := range global {
		conf.WriteString(line + "\n")
	}
	for share, path := range map[string]string{"files": s.Dir, "hidden$": s.Dir, "other": s.Other} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&conf, "[%s]\npath = %s\nread only = no\n", share, path)
	}
	return conf.String()
}

// run runs the server in the foreground, with a process group of its own for the processes that it
// starts for connections, and waits until it listens.
func (s *Server) run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = startTime
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		killGroup(cmd.Process.Pid)
		<-exited
	})
	for deadline := time.Now().Add(startTime); ; {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-exited:
			t.Fatalf("the server ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not answer: %v", err)
		}
	}
}

// killHelpers kills what the server has started to list shares, which is in a session of its own
// and outlives it.
func killHelpers(pids string) {
	names, _ := filepath.Glob(filepath.Join(pids, "*.pid"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && pid > 1 && filepath.Base(name) != "smbd.pid" {
			killGroup(pid)
		}
	}
}
