package sftp

import (
	"net"
	"strconv"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/sshserver"
	"ferry/remote/retry"
)

func TestBrokenConnections(t *testing.T) {
	testBrokenConnections(t, sshserver.OpenSSH(t))
}

func TestBrokenConnectionsToPackageSFTP(t *testing.T) {
	testBrokenConnections(t, goServer)
}

func testBrokenConnections(t *testing.T, serve func(ch ssh.Channel) error) {
	s := startServer(t, serve)
	n := remotetest.Network{
		Target: s.Addr,
		Open: func(t *testing.T, addr string) remote.Remote {
			o := s.options()
			o.KnownHosts = "" // it has the server by its own port
			_, port, err := net.SplitHostPort(addr)
			if err == nil {
				o.Port, err = strconv.Atoi(port)
			}
			if err != nil {
				t.Fatal(err)
			}
			return openRemote(t, t.TempDir(), o)
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
