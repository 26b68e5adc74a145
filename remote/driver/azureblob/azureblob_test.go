package azureblob_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

func TestRemote(t *testing.T) {
	service := startService(t)
	o := service.options()
	o.ChunkSize = 64 << 10 // so that the suite has uploads of several blocks
	o.ListChunk = 400      // and listings of several pages
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return open(t, "/"+service.container(t)+"/some/prefix/", o)
	})
}

func TestWhatIsStoredDuringARenameIsNotLost(t *testing.T) {
	service := startService(t)
	remotetest.RunRename(t, func(t *testing.T) remote.Remote { return open(t, service.container(t), service.options()) })
}

// What looks like a slash is written as it is, as rclone does.
func TestLookAlikesAreKeptAsTheyAre(t *testing.T) {
	service := startService(t)
	container, o := service.container(t), service.options()
	r := open(t, container, o)
	defer r.Close()
	o.Encoding = nameenc.Raw
	raw := open(t, container, o)
	defer raw.Close()
	for _, name := range []string{"a／b", "／"} {
		put(t, r, name, []byte("x"))
		if _, err := raw.Stat(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
}
