package s3

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
)

func TestWhatACallCostsOnEveryStore(t *testing.T) {
	f := startGatewayFront(t)
	n := 0
	requests := func() int {
		n += len(f.take())
		return n
	}
	objectstest.RunCosts(t, "s3", requests, func() remote.Remote {
		return openAt(t, testBucket+"/top", testOptions(f.addr))
	})
}
