package s3

import (
	"fmt"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

func TestBrokenConnections(t *testing.T) {
	opened := 0
	n := remotetest.Network{
		Target: startGateway(t),
		Open: func(t *testing.T, addr string) remote.Remote {
			opened++
			return openAt(t, fmt.Sprintf("%s/%d", testBucket, opened), testOptions(addr))
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
