package ftp_test

import (
	"net"
	"strconv"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
	"ferry/remote/wrap/retry"
)

func TestBrokenConnections(t *testing.T) {
	servers.SkipLong(t)
	store := memory.New()
	o := startFerry(t, store, nil)
	opened := 0
	n := remotetest.Network{
		Target: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)),
		FTP:    true,
		Open: func(t *testing.T, addr string) remote.Remote {
			opened++
			dir := "t" + strconv.Itoa(opened)
			if err := store.Mkdir(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			through := optionsFor(t, addr, o.User, o.Password)
			return openRemote(t, "/"+dir, through)
		},
		Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
	}
	remotetest.RunNetwork(t, n)
	remotetest.RunCommitted(t, n)
}
