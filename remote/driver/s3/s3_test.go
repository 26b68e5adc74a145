package s3

import (
	"testing"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

func TestRemoteOnGateway(t *testing.T) {
	o := testOptions(startGateway(t))
	o.MaxName = 255           // it keeps objects as files
	o.Encoding |= nameenc.Ctl // its listings are XML without any escape for control characters
	remotetest.Run(t, func(t *testing.T) remote.Remote { return openAt(t, nextPrefix(), o) })
}

func TestRemoteOnFake(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		o := testOptions(startFake(t).addr)
		o.Encoding |= nameenc.Ctl
		return openAt(t, testBucket, o)
	})
}
