package gcs_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/gcsserver"
	"ferry/remote/wrap/retry"
)

func TestNetwork(t *testing.T) {
	service := gcsserver.Start(t)
	n := remotetest.Network{
		Target: service.Addr,
		Open: func(t *testing.T, addr string) remote.Remote {
			return open(t, service.NewBucket(t), options(addr))
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
		Size:  40 << 20, // some chunks
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
