package azureblob_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
)

func TestCaptivePortal(t *testing.T) {
	service := startService(t)
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote {
		o := service.options()
		o.Endpoint = "http://" + addr + "/account"
		return open(t, "container", o)
	})
}
