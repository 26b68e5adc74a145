package onedrive_test

import (
	"testing"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/onedrive"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/graphserver"
	"ferry/remote/wrap/retry"
)

// token is what the double accepts.
func token() oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: graphserver.Token})
}

// open opens the remote that o describes, as the one that may ask.
func open(t *testing.T, addr string, o onedrive.Options) *onedrive.Remote {
	t.Helper()
	o.Endpoint, o.Tokens, o.Name, o.Login = "http://"+addr, token(), "one", "reconnect one:"
	if o.ChunkSize == 0 {
		o.ChunkSize = 4 * onedrive.ChunkUnit
	}
	r, err := onedrive.New(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func again(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) }

func TestContracts(t *testing.T) {
	s := graphserver.Start(t)
	for _, kind := range []string{graphserver.Personal, graphserver.Business} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				return open(t, s.Addr, onedrive.Options{DriveID: s.NewDrive(kind), DriveType: kind})
			})
		})
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	s := graphserver.Start(t)
	n := remotetest.Network{
		Target: s.Addr,
		Open: func(t *testing.T, addr string) remote.Remote {
			return open(t, addr, onedrive.Options{DriveID: s.NewDrive(graphserver.Business), DriveType: graphserver.Business})
		},
		Again: again,
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}

func TestRenamesWhileSomethingIsStored(t *testing.T) {
	t.Parallel()
	for what, replaces := range map[string]bool{"in one step": true, "in two steps": false} {
		t.Run(what, func(t *testing.T) {
			s := graphserver.Start(t)
			s.MovesReplace(replaces)
			remotetest.RunRename(t, func(t *testing.T) remote.Remote {
				return open(t, s.Addr, onedrive.Options{DriveID: s.NewDrive(graphserver.Personal), DriveType: graphserver.Personal})
			})
		})
	}
}
