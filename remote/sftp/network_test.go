package sftp

import (
	"net"
	"strconv"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/sshserver"
	"ferry/remote/retry"
)

func TestBrokenConnections(t *testing.T) {
	s := startServer(t, sshserver.OpenSSH(t))
	remotetest.RunNetwork(t, remotetest.Network{
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
	})
}
