package sftp

import (
	"os"
	"strings"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/remotetest"
)

// endless is a server whose root lists names for ever.
type endless struct{ name func(i int) string }

func (l endless) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		return l, nil
	}
	if r.Filepath == "/" {
		return liar{lie{"/"}}, nil
	}
	return nil, os.ErrNotExist
}

func (l endless) ListAt(to []os.FileInfo, off int64) (int, error) {
	for i := range to {
		to[i] = lie{l.name(int(off) + i)}
	}
	return len(to), nil
}

// A server that opens one channel only is listed in another way.
func TestDirectoriesWithoutEnd(t *testing.T) {
	for _, oneChannel := range []bool{false, true} {
		remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
			s := startServer(t, func(ch ssh.Channel) error {
				return sftp.NewRequestServer(ch, sftp.Handlers{FileList: endless{name}}).Serve()
			})
			if oneChannel {
				s.LimitChannels(1)
			}
			o := s.options()
			o.Network.MaxEntries = remotetest.EndlessEntries
			return openRemote(t, "/", o)
		})
	}
}

func TestNamesAreCounted(t *testing.T) {
	packet := func(typ byte, body string) string {
		return string([]byte{0, 0, 0, byte(1 + len(body)), typ}) + body
	}
	stream := packet(typeName, "12345678") + packet(103, strings.Repeat("x", 100)) + packet(typeStatus, "") +
		packet(typeName, "1") + "\x00\x00\x00\x00" + string([]byte{typeName}) + packet(typeName, "234")
	for size := 1; size < len(stream); size++ {
		c, n := &collected{}, 0
		for at := 0; at < len(stream); at += size {
			n += c.namesIn([]byte(stream[at:min(at+size, len(stream))]))
		}
		if n != 12 {
			t.Errorf("in pieces of %d bytes: %d bytes of names", size, n)
		}
	}
}
