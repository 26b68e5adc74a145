package s3

import (
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

func TestCaptivePortal(t *testing.T) {
	remotetest.SkipLong(t)
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote {
		return openAt(t, testBucket, testOptions(addr))
	})
}
