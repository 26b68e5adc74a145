package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote/remotetest/servers/sshserver"
)

// A server is what the tests of this package log in to.
type server struct {
	*sshserver.Server
	t *testing.T
}

func startServer(t *testing.T, serve func(ch ssh.Channel) error) *server {
	t.Helper()
	return &server{sshserver.Start(t, serve), t}
}

// newPEM returns a private key as it is in files, and the key.
func newPEM(t *testing.T, passphrase string) (string, ssh.PublicKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), key
}

// options returns what a client needs to reach the server.
func (s *server) options() Options {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		s.t.Fatal(err)
	}
	known := filepath.Join(s.t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(sshserver.KnownHost(s.t, s.Addr, s.HostKey.PublicKey())), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return Options{Host: host, Port: p, User: "bob", Password: sshserver.Password, KnownHosts: known, KeepModTime: true}
}

// goServer serves with package sftp.
func goServer(ch ssh.Channel) error {
	s, err := sftp.NewServer(ch)
	if err != nil {
		return err
	}
	return s.Serve()
}
