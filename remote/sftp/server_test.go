package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// testPassword is what the servers of the tests accept, from anybody.
const testPassword = "correct horse"

// A server is an SSH server on the loopback interface.
type server struct {
	t        *testing.T
	listener net.Listener
	hostKey  ssh.Signer
	userKey  ssh.PublicKey // accepted besides the password, if not nil
	serve    func(ch ssh.Channel) error
	channels int // how many a connection may open; 0 = any number

	all   sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn // every one that was accepted; guarded by mu
}

// startServer starts a server that calls serve for each channel on which SFTP is asked for.
func startServer(t *testing.T, serve func(ch ssh.Channel) error) *server {
	t.Helper()
	s := &server{t: t, hostKey: newKey(t), serve: serve}
	var err error
	s.listener, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.all.Go(s.accept)
	t.Cleanup(func() {
		s.listener.Close()
		s.cut()
		s.all.Wait()
	})
	return s
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key
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

// cut closes every connection.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// connections returns how many were made so far.
func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *server) accept() {
	config := &ssh.ServerConfig{
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) != testPassword {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.userKey == nil || string(key.Marshal()) != string(s.userKey.Marshal()) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		},
	}
	config.AddHostKey(s.hostKey)
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.all.Go(func() {
			defer c.Close()
			s.handle(c, config)
		})
	}
}

func (s *server) handle(c net.Conn, config *ssh.ServerConfig) {
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	opened := 0
	for offered := range channels {
		if opened++; s.channels > 0 && opened > s.channels {
			offered.Reject(ssh.Prohibited, "no more sessions")
			continue
		}
		ch, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.all.Go(func() {
			defer ch.Close()
			for r := range requests {
				ok := r.Type == "subsystem" && strings.HasSuffix(string(r.Payload), "sftp")
				r.Reply(ok, nil)
				if ok {
					s.all.Go(func() {
						_ = s.serve(ch) // ends with the channel
						ch.Close()
					})
				}
			}
		})
	}
}

// options returns what a client needs to reach the server.
func (s *server) options() Options {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		s.t.Fatal(err)
	}
	known := filepath.Join(s.t.TempDir(), "known_hosts")
	line := "[" + host + "]:" + port + " " + string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey()))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return Options{Host: host, Port: p, User: "bob", Password: testPassword, KnownHosts: known, KeepModTime: true}
}

// openSSH serves with the program of OpenSSH.
func openSSH(t *testing.T) func(ch ssh.Channel) error {
	t.Helper()
	for _, path := range []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		return func(ch ssh.Channel) error {
			cmd := exec.Command(path)
			cmd.Stdout = ch
			in, err := cmd.StdinPipe()
			if err != nil {
				return err
			}
			if err := cmd.Start(); err != nil {
				return err
			}
			_, _ = io.Copy(in, ch) // it ends with the channel
			in.Close()
			return cmd.Wait()
		}
	}
	t.Skip("sftp-server of OpenSSH is missing (package openssh-sftp-server)")
	return nil
}

// goServer serves with package sftp.
func goServer(ch ssh.Channel) error {
	s, err := sftp.NewServer(ch)
	if err != nil {
		return err
	}
	return s.Serve()
}
