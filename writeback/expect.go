package writeback

import (
	"slices"
	"time"

	"ferry/cache"
)

// Where several nodes write to one remote, a change that waits here may find under its name what
// another node has stored since it was made (Options.Conflict). So a change carries what the remote
// may have: what it had when the change was made, and what this node has sent since. Its record has
// the same for the next process: it is written when the change is made, while the change that it
// supersedes is pinned, and so no attempt of that one begins any more that is not noted.

// An expectation is what the remote may have under a name without anybody else having changed it.
type expectation struct {
	base    cache.Base
	version string        // with BasePresent; "" = the remote has no versions
	own     []*ownContent // that may be there instead; the oldest first
	// forgot: so may contents of which nothing is known here, as the record is that of an earlier
	// process, maybe of an earlier ferry, or of another node.
	forgot bool
}

// An ownContent is a content that this node has begun to send. Tree.mu guards it: its answer may
// come when the change is superseded already.
type ownContent struct {
	size     int64 // below 0 = only the version is known
	modTime  time.Time
	sentTime time.Time // with which it was stored, if that is known
	version  string    // under which it was stored, if that is known
}

// maxOwn is how many contents of this node's are remembered for a name. What was sent before them
// is taken for another node's, if it is there in the end.
const maxOwn = 8

// with returns x with one more content.
func (x expectation) with(o *ownContent) expectation {
	x.own = append(x.own[max(0, len(x.own)-maxOwn+1):len(x.own):len(x.own)], o)
	return x
}

// without returns x without the content of c: there it is not one that c has replaced.
// LOCKS_REQUIRED(Tree.mu)
func (x expectation) without(c *change) expectation {
	x.own = slices.DeleteFunc(slices.Clone(x.own), func(o *ownContent) bool {
		return o.size == c.rec.Size && (o.modTime.Equal(c.rec.ModTime) || o.modTime.Equal(c.sentTime))
	})
	return x
}

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
	if c.begun && c.hasContent() {
		x = x.with(c.content())
	}
	return x
}

// hasContent reports whether c brings a content to its name.
func (c *change) hasContent() bool { return c.rec.Kind == cache.File || c.rec.Kind == cache.Moved }

// content returns how the content of c is told, for the changes that come after it.
// LOCKS_REQUIRED(Tree.mu)
func (c *change) content() *ownContent {
	if c.own == nil {
		c.own = &ownContent{}
	}
	c.noteOwn()
	return c.own
}

// noteOwn tells the changes that come after c what its content has become on the remote.
// LOCKS_REQUIRED(Tree.mu)
func (c *change) noteOwn() {
	if c.own != nil {
		*c.own = ownContent{size: c.rec.Size, modTime: c.rec.ModTime, sentTime: c.sentTime, version: c.stored.Version}
	}
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

// recall notes what the record of c, of an earlier process, says of what was sent before it.
func (c *change) recall() {
	for _, s := range c.rec.Sent {
		o := &ownContent{size: s.Size, modTime: s.ModTime, version: s.Version}
		if s.Name == "" {
			c.over = c.over.with(o)
			continue
		}
		c.leave(s.Name, expectation{forgot: true})
		c.left[s.Name] = c.left[s.Name].with(o)
	}
}

// sent appends to all what x is told by, for a name.
// LOCKS_REQUIRED(Tree.mu)
func (x expectation) sent(all []cache.Sent, name string) []cache.Sent {
	if len(x.own) > 0 {
		all = slices.Grow(all, len(x.own)+1)
	}
	if x.base == cache.BasePresent && x.version != "" {
		all = append(all, cache.Sent{Name: name, Size: -1, Version: x.version})
	}
	for _, o := range x.own {
		s := cache.Sent{Name: name, Size: o.size, ModTime: o.modTime, Version: o.version}
		all = append(all, s)
		if !o.sentTime.IsZero() && !o.sentTime.Equal(o.modTime) {
			s.ModTime = o.sentTime
			all = append(all, s)
		}
	}
	return all
}
