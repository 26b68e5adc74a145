package cache

import (
	"context"
	"io/fs"
)

// A record that goes from one node to another is in two caches for a moment, and a process may end
// in it. So the one that gives sets a Claim before anybody else can see the record, and the one
// that takes commits its copy with one; each clears or drops its own when it knows whose the
// record is.

// Claimed returns the records that have a Claim, by Seq.
func (s *Store) Claimed() []Record { return s.records(true) }

// SetClaim sets or, with "", clears the Claim of a record. When it returns nil, the record
// survives a power loss so.
func (s *Store) SetClaim(ctx context.Context, id, claim string) (Record, error) {
	if ctx.Err() != nil {
		return Record{}, context.Cause(ctx)
	}
	e, err := s.findDirty("claim", id)
	if err != nil {
		return Record{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := s.recordOf(e)
	next.Claim = claim
	h := s.recordHeader(&next, Durable)
	if err := s.rewrite(e, &h, Durable); err != nil {
		return Record{}, &fs.PathError{Op: "claim", Path: next.Name, Err: err}
	}
	if err := s.syncDirty.wait(); err != nil {
		return Record{}, &fs.PathError{Op: "claim", Path: next.Name, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.rec, e.durability = next, Durable
	return e.record(), nil
}
