// Package sshserver is an SSH server on the loopback interface, for tests of what speaks SFTP.
package sshserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Password is what a Server accepts, from anybody.
const Password = "correct horse"

// A Server is an SSH server that has the subsystem sftp and nothing else.
type Server struct {
	// constant
	Addr     string
	HostKey  ssh.Signer
	serve    func(ch ssh.Channel) error
	listener net.Listener
	all      sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn    // every one that was accepted; guarded by mu
	userKey  ssh.PublicKey // accepted besides the password, if not nil; guarded by mu
	channels int           // how many a connection may open; 0 = any number; guarded by mu
}

// Start starts a server that calls serve for each channel on which SFTP is asked for. It ends with
// the test.
func Start(t *testing.T, serve func(ch ssh.Channel) error) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: listener.Addr().String(), HostKey: NewKey(t), serve: serve, listener: listener}
	s.all.Go(s.accept)
	t.Cleanup(func() {
		s.listener.Close()
		s.Cut()
		s.all.Wait()
	})
	return s
}

// NewKey makes a private key.
func NewKey(t *testing.T) ssh.Signer {
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

// KnownHost is the line of a known_hosts file that says that the server at addr has key.
func KnownHost(t *testing.T, addr string, key ssh.PublicKey) string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return "[" + host + "]:" + port + " " + string(ssh.MarshalAuthorizedKey(key))
}

// AcceptKey lets whoever has the key in, besides those who know the password.
func (s *Server) AcceptKey(key ssh.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.userKey = key
}

// LimitChannels lets each connection that begins from now on have n channels at most.
func (s *Server) LimitChannels(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = n
}

// Cut closes every connection.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// Connections returns how many were made so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

var errRefused = errors.New("refused")

func (s *Server) accept() {
	config := &ssh.ServerConfig{PasswordCallback: checkPassword, PublicKeyCallback: s.checkKey}
	config.AddHostKey(s.HostKey)
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		channels := s.channels
		s.mu.Unlock()
		s.all.Go(func() {
			defer c.Close()
			s.handle(c, config, channels)
		})
	}
}

func checkPassword(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if string(password) != Password {
		return nil, errRefused
	}
	return nil, nil
}

func (s *Server) checkKey(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.userKey == nil || string(key.Marshal()) != string(s.userKey.Marshal()) {
		return nil, errRefused
	}
	return nil, nil
}

// handle serves one connection, with at most limit channels unless that is 0.
func (s *Server) handle(c net.Conn, config *ssh.ServerConfig, limit int) {
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	opened := 0
	for offered := range channels {
		if opened++; limit > 0 && opened > limit {
			offered.Reject(ssh.Prohibited, "no more sessions")
			continue
		}
		ch, requests, err := offered.Accept()
		if err != nil {
			return
		}
		s.all.Go(func() {
			defer ch.Close()
			s.answer(ch, requests)
		})
	}
}

func (s *Server) answer(ch ssh.Channel, requests <-chan *ssh.Request) {
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
}

// OpenSSH returns a function for Start that serves with the program of OpenSSH. Where that is
// missing, the test is skipped.
func OpenSSH(t *testing.T) func(ch ssh.Channel) error {
	t.Helper()
	if testing.Short() {
		t.Skip("the server of OpenSSH is not for short tests")
	}
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
