package sftp

import (
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

// defaultEncoding is that of remotes of this type.
const defaultEncoding = nameenc.Slash | nameenc.Ctl | nameenc.Del | nameenc.Dot

func openRemote(t *testing.T, root string, o Options) *Remote {
	t.Helper()
	r, err := New(t.Context(), root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemoteOnOpenSSH(t *testing.T) {
	testRemote(t, openSSH(t))
}

func TestRemoteOnPackageSFTP(t *testing.T) {
	testRemote(t, goServer)
}

func testRemote(t *testing.T, serve func(ch ssh.Channel) error) {
	s := startServer(t, serve)
	o := s.options()
	o.Encoding = defaultEncoding
	remotetest.Run(t, func(t *testing.T) remote.Remote { return openRemote(t, t.TempDir(), o) })
}
