package s3

import (
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

func TestCaptivePortal(t *testing.T) {
	servers.SkipLong(t)
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote {
		return openAt(t, testBucket, testOptions(addr))
	})
}
