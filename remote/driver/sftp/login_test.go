package sftp

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest/servers/sshserver"
)

// root looks at the root of a remote with these options.
func lookAtRoot(t *testing.T, o Options) error {
	t.Helper()
	r, err := New(t.Context(), t.TempDir(), o)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.Stat(t.Context(), ".")
	return err
}

func TestLogin(t *testing.T) {
	s := startServer(t, goServer)
	key, public := newPEM(t, "")
	s.AcceptKey(public)
	locked, lockedPublic := newPEM(t, "pass phrase")
	if err := lookAtRoot(t, s.options()); err != nil {
		t.Errorf("password: %v", err)
	}
	o := s.options()
	o.Password, o.KeyPEM = "", key
	if err := lookAtRoot(t, o); err != nil {
		t.Errorf("key: %v", err)
	}
	o = s.options()
	o.Password, o.KeyFile = "", filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(o.KeyFile, []byte(locked), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lookAtRoot(t, o); err == nil || !strings.Contains(err.Error(), "key_file_pass") {
		t.Errorf("key without its passphrase: %v", err)
	}
	o.KeyPassphrase = "pass phrase"
	s.AcceptKey(lockedPublic)
	if err := lookAtRoot(t, o); err != nil {
		t.Errorf("key with its passphrase: %v", err)
	}
}

func TestLoginRefused(t *testing.T) {
	s := startServer(t, goServer)
	o := s.options()
	o.Password = "not the password"
	err := lookAtRoot(t, o)
	if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "pass") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), o.Password) {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	secret := "-----BEGIN NOTHING-----secret"
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "host"},
		{Options{Host: "h", KeyPEM: secret}, "key_pem"},
		{Options{Host: "h", KeyPEM: secret, KeyPassphrase: "secret"}, "key_file_pass"},
		{Options{Host: "h", KeyFile: "/none/key"}, "key_file"},
		{Options{Host: "h", KnownHosts: "/none/known_hosts"}, "known_hosts_file"},
	} {
		_, err := New(t.Context(), "", c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	err = lookAtRoot(t, Options{Host: "127.0.0.1", Port: port, User: "bob", Password: sshserver.Password})
	if err == nil || remote.Permanent(err) || !strings.Contains(err.Error(), "host and port") {
		t.Errorf("%v", err)
	}
}

func TestHostKeys(t *testing.T) {
	s := startServer(t, goServer)
	o := s.options()
	addr := s.Addr
	host, port, _ := net.SplitHostPort(addr)
	line := func(host string, key ssh.PublicKey) string {
		return host + " " + string(ssh.MarshalAuthorizedKey(key))
	}
	here := "[" + host + "]:" + port
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(home, ".ssh", "known_hosts")
	for _, c := range []struct {
		what, content string
		strict        bool
		want          string
	}{
		{"a known host", line(here, s.HostKey.PublicKey()), true, ""},
		{"an unknown host", line("other", s.HostKey.PublicKey()), true, "ssh-keyscan"},
		{"another key", line(here, sshserver.NewKey(t).PublicKey()), true, "ssh-keygen"},
		{"a revoked key", "@revoked " + line(here, s.HostKey.PublicKey()), true, "revoked"},
		{"a known host of the user", line(here, s.HostKey.PublicKey()), false, ""},
		{"an unknown host of the user", line("other", s.HostKey.PublicKey()), false, ""},
		{"another key in the user's file", line(here, sshserver.NewKey(t).PublicKey()), false, "ssh-keygen"},
	} {
		o.KnownHosts = ""
		if c.strict {
			o.KnownHosts = filepath.Join(t.TempDir(), "known")
			if err := os.WriteFile(o.KnownHosts, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(users, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := lookAtRoot(t, o)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if err := os.Remove(users); err != nil {
		t.Fatal(err)
	}
	if err := lookAtRoot(t, o); err != nil {
		t.Errorf("a user without a file: %v", err)
	}
}
