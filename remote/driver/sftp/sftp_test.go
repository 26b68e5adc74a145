package sftp

import (
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/sshserver"
)

func openRemote(t *testing.T, root string, o Options) *Remote {
	t.Helper()
	r, err := New(t.Context(), root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoteOnOpenSSH(t *testing.T) {
	testRemote(t, sshserver.OpenSSH(t))
}

func TestRemoteOnPackageSFTP(t *testing.T) {
	testRemote(t, goServer)
}

func testRemote(t *testing.T, serve func(ch ssh.Channel) error) {
	s := startServer(t, serve)
	o := s.options()
	o.Encoding = Encoding
	remotetest.Run(t, func(t *testing.T) remote.Remote { return openRemote(t, t.TempDir(), o) })
}
