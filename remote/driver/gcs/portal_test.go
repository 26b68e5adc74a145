package gcs_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

func TestCaptivePortal(t *testing.T) {
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote { return open(t, "bucket", options(addr)) })
}
