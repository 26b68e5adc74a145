package webdav_test

import (
	"strings"
	"testing"

	dav "golang.org/x/net/webdav"

	"ferry/remote"
	"ferry/remote/driver/webdav"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
	"ferry/remote/wrap/retry"
)

func again(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) }

func TestBrokenConnectionsToGoServer(t *testing.T) {
	servers.SkipLong(t)
	files := t.TempDir()
	s := newServer(t, exactTimes{dav.Dir(files)}, nil)
	n := remotetest.Network{
		Target: strings.TrimPrefix(s.URL, "http://"),
		Open: func(t *testing.T, addr string) remote.Remote {
			return open(t, webdav.Options{URL: "http://" + addr + "/dav/" + newSubdirectory(t, files)})
		},
		Again: again,
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}

func TestBrokenConnectionsToApache(t *testing.T) {
	a := startApache(t)
	for what, atomic := range map[string]*bool{"renames uploads": nil, "puts directly": new(true)} {
		t.Run(what, func(t *testing.T) {
			n := remotetest.Network{
				Target: strings.TrimPrefix(a.url, "http://"),
				Open: func(t *testing.T, addr string) remote.Remote {
					return open(t, webdav.Options{URL: "http://" + addr + "/" + newSubdirectory(t, a.files), AtomicPut: atomic})
				},
				Again: again,
			}
			remotetest.RunNetwork(t, n)
			remotetest.RunCommitted(t, n)
		})
	}
}
