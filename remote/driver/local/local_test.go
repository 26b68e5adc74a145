package local

import (
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

func TestRemote(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, openTree, Options{}) })
}

func TestRemoteOnRoot(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, openRootTree, Options{}) })
}

func TestRemoteThatFollowsLinks(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, openTree, Options{CopyLinks: true}) })
}

func TestRemoteOnRootThatFollowsLinks(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, openRootTree, Options{CopyLinks: true}) })
}

func TestRemoteThatSyncs(t *testing.T) {
	servers.SkipLong(t)
	remotetest.Run(t, func(t *testing.T) remote.Remote { return open(t, openTree, Options{Sync: true}) })
}

// open serves a new directory.
func open(t *testing.T, tree openFunc, o Options) *Remote {
	return openDir(t, t.TempDir(), tree, o)
}

func openDir(t *testing.T, dir string, tree openFunc, o Options) *Remote {
	t.Helper()
	r, err := newRemote(dir, o, tree)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}
