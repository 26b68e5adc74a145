package webdav_test

import (
	"testing"

	"ferry/remote/remotetest/servers"
)

// An apache is Apache's web server with a directory served by its mod_dav.
type apache struct {
	url   string
	files string // the directory
}

func startApache(t *testing.T) *apache {
	t.Helper()
	url, files := servers.StartApache(t, []string{"dav", "dav_fs"}, "Dav On",
		// Two files of one length that were written within a tick of the kernel differ in the inode
		// alone.
		"FileETag INode MTime Size")
	return &apache{url, files}
}
