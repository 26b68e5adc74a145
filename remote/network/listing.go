package network

import (
	"cmp"
	"sync/atomic"
)

// MaxEntries is the default of Options.MaxEntries: more than any directory that a user would wait
// for.
const MaxEntries = 100_000_000

// A Listing bounds the length of a server's listing of one directory. This is not about memory, as
// entries are passed on as they arrive, but makes sure that the listing ends. Several goroutines
// may share it.
type Listing struct{ left atomic.Int64 }

// Listing returns the bound for a new listing.
func (o Options) Listing() *Listing {
	l := new(Listing)
	l.left.Store(int64(cmp.Or(o.MaxEntries, MaxEntries)))
	return l
}

// Entries counts n entries, including those that are omitted. It fails with remote.ErrMalformed
// when there are too many.
func (l *Listing) Entries(n int) error {
	if l.left.Add(-int64(n)) < 0 {
		return errEndless
	}
	return nil
}

// pageCost is how many entries each page counts for in addition to its own, so that an endless
// sequence of empty pages fails too.
const pageCost = 100

// Page counts a page of n entries.
func (l *Listing) Page(n int) error { return l.Entries(n + pageCost) }
