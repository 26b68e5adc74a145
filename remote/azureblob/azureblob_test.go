package azureblob_test

import (
	"testing"

	"ferry/remote"
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
