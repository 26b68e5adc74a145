package dropbox_test

import (
	"testing"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/dropbox"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/dropboxserver"
	"ferry/remote/wrap/retry"
)

// options reach a double at addr.
func options(addr string) dropbox.Options {
	return dropbox.Options{
		Tokens:    oauth2.StaticTokenSource(&oauth2.Token{AccessToken: dropboxserver.Token}),
		Login:     "reconnect one:",
		Endpoint:  "http://" + addr,
		ChunkSize: 4 << 20,
	}
}

// open returns the remote at a path, which the test closes.
func open(t *testing.T, path string, o dropbox.Options) *dropbox.Remote {
	t.Helper()
	r, err := dropbox.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func again(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) }

func TestContract(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	for what, change := range map[string]func(*dropbox.Options){
		"commits together": func(*dropbox.Options) {},
		"one by one":       func(o *dropbox.Options) { o.Unbatched = true },
	} {
		t.Run(what, func(t *testing.T) {
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				o := options(s.Addr)
				change(&o)
				return open(t, s.NewFolder(t), o)
			})
		})
	}
}

func TestRootOfAnAccount(t *testing.T) {
	t.Parallel()
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, "", options(dropboxserver.Start(t).Addr)) })
}

func TestRenamesWhileStoring(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	remotetest.RunRename(t, func(t *testing.T) remote.Remote { return open(t, s.NewFolder(t), options(s.Addr)) })
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	s := dropboxserver.Start(t)
	for what, unbatched := range map[string]bool{"commits together": false, "one by one": true} {
		t.Run(what, func(t *testing.T) {
			n := remotetest.Network{
				Target: s.Addr,
				Open: func(t *testing.T, addr string) remote.Remote {
					o := options(addr)
					o.Unbatched = unbatched
					return open(t, s.NewFolder(t), o)
				},
				Again: again,
			}
			remotetest.RunNetwork(t, n)
			remotetest.RunCommitted(t, n)
		})
	}
}

func TestCaptivePortal(t *testing.T) {
	t.Parallel()
	remotetest.RunPortal(t, func(t *testing.T, addr string) remote.Remote { return open(t, "", options(addr)) })
}
