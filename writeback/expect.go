package writeback

import "ferry/cache"

// Where several nodes write to one remote, a change that waits here may find under its name what
// another node has stored since it was made (Options.Conflict). So a change carries what the remote
// may have: what it had when the change was made, and what this node has sent since.

// An expectation is what the remote may have under a name without anybody else having changed it.
type expectation struct {
	base    cache.Base
	version string    // with BasePresent; "" = the remote has no versions
	own     []*change // whose content may be there instead; the oldest first
	// forgot: so may contents that an earlier process has sent, or the node that a change was taken
	// over from, of which nothing is known here.
	forgot bool
}

// maxOwn is how many contents of this node's are remembered for a name. What was sent before them
// is taken for another node's, if it is there in the end.
const maxOwn = 8

// expect returns what the remote may have under the name of a change without a predecessor.
func expect(rec cache.Record) expectation {
	return expectation{base: rec.Base, version: rec.BaseVersion, forgot: rec.Recovered}
}

// leaves returns what the remote may have under the name of c, for a change that comes after it.
// LOCKS_REQUIRED(Tree.mu)
func (c *change) leaves() expectation {
	x := c.over
	if c.sent && c.stored.Version != "" {
		x.base, x.version, x.forgot = cache.BasePresent, c.stored.Version, false
	}
	if c.begun {
		x.own = append(x.own[max(0, len(x.own)-maxOwn+1):len(x.own):len(x.own)], c)
	}
	return x
}

// leave notes what may be under a name that c removes.
func (c *change) leave(key string, x expectation) {
	if c.left == nil {
		c.left = map[string]expectation{}
	}
	if _, ok := c.left[key]; !ok {
		c.left[key] = x
	}
}
