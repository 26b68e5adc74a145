package webdav_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/remotetest"
)

func TestCaptivePortal(t *testing.T) {
	for what, atomic := range map[string]*bool{"unknown": nil, "renames uploads": new(false), "puts directly": new(true)} {
		t.Run(what, func(t *testing.T) {
			remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote {
				return open(t, webdav.Options{URL: "http://" + addr + "/dav", AtomicPut: atomic})
			})
		})
	}
}
