package azureblob_test

import (
	"net/url"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/retry"
)

func TestNetwork(t *testing.T) {
	service := startService(t)
	u, err := url.Parse(service.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	n := remotetest.Network{
		Target: u.Host,
		Open: func(t *testing.T, addr string) remote.Remote {
			o := service.options()
			o.Endpoint = "http://" + addr + u.Path
			return open(t, service.container(t), o)
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
