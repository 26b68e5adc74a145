package writeback

import (
	"slices"

	"ferry/cache"
)

// What an object store keeps of a file besides its content (content type, metadata, tags ...)
// stays when an upload continues the file, although the disk cache sends it as a whole. A record
// names the file on the remote that has it. What is sent before that record, or by it, leaves
// that file alone: it is the one of the record's own name, or one that the record removes.

// stillIts is name if rec is responsible for what the remote has under it, else "": then another
// change may come first. LOCKS_REQUIRED(Tree.mu)
func (p *pending) stillIts(name string, rec cache.Record) string {
	key := p.keyOf(name)
	own := key == p.keyOf(rec.Name) || slices.ContainsFunc(rec.Removes, func(other string) bool { return p.keyOf(other) == key })
	if name == "" || !own {
		return ""
	}
	return name
}

// factsOf is FactsOf for the record rec of the upload, which takes the place of c; nil where
// nothing waits under the name. LOCKS_REQUIRED(Tree.mu)
func (s *spool) factsOf(c *change, rec cache.Record) string {
	switch {
	case !s.draft.Continues():
		return ""
	case c == nil:
		return s.name
	}
	return s.tree.pending.stillIts(c.factsOf, rec) // of a new file that waits there are none
}

// factsNow is FactsOf for an upload that is sent to the remote while the client waits.
func (s *spool) factsNow() string {
	if !s.draft.Continues() {
		return ""
	}
	v := s.tree
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.pending.own(s.name); c != nil {
		return c.factsOf
	}
	return s.name
}
