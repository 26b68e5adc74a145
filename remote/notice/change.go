package notice

import (
	"strings"

	"ferry/remote"
)

// Changes returns what a notice means for a remote. All that is claimed is that the remote may have
// changed there: where the key can be read in two ways, these are two changes.
func (n *Notice) Changes(of remote.ObjectNamer) []remote.Change {
	var all []remote.Change
	for i, key := range []string{n.Key, n.Other} {
		if i > 0 && key == "" {
			break
		}
		if c, ok := n.change(of, key); ok {
			all = append(all, c)
		}
	}
	return all
}

func (n *Notice) change(of remote.ObjectNamer, key string) (remote.Change, bool) {
	c := remote.Change{Removed: n.Removed}
	path, isDir := strings.CutSuffix(key, "/") // the marker of a directory
	c.Dir = isDir || n.Below || key == ""
	c.Below = n.Below || key == ""
	if key != "" && path == "" {
		return c, false // no name leads there
	}
	var ok bool
	if c.Name, ok = of.ObjectName(n.Bucket, path); !ok {
		return c, false
	}
	if c.Name == "." {
		return remote.Everything(), c.Below
	}
	if !c.Dir && !c.Removed {
		c.Version = n.Version
	}
	return c, true
}

// Doubt takes from a notice what it claims of the newest state, and leaves that something may have
// changed.
func (n *Notice) Doubt() { n.Removed, n.Version = false, "" }
