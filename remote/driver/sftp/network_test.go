package sftp

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/sshserver"
	"ferry/remote/wrap/retry"
)

func TestBrokenConnections(t *testing.T) {
	testBrokenConnections(t, sshserver.OpenSSH(t))
}

func TestBrokenConnectionsToPackageSFTP(t *testing.T) {
	servers.SkipLong(t)
	testBrokenConnections(t, goServer)
}

func testBrokenConnections(t *testing.T, serve func(ch ssh.Channel) error) {
	root := t.TempDir() // outlives the server, which may carry out late what it was asked for
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
			dir, err := os.MkdirTemp(root, "")
			if err != nil {
				t.Fatal(err)
			}
			return openRemote(t, dir, o)
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
