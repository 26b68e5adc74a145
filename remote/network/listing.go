package network

import (
	"cmp"
	"sync/atomic"
)

// MaxEntries is that of Options which name none: more than any directory holds that somebody waits
// for.
const MaxEntries = 100_000_000

// A Listing bounds what a server says of one directory: not its memory, as entries are passed on
// as they come, but that it has an end. Several goroutines may share it.
type Listing struct{ left atomic.Int64 }

// Listing returns the bound of one that begins.
func (o Options) Listing() *Listing {
	l := new(Listing)
	l.left.Store(int64(cmp.Or(o.MaxEntries, MaxEntries)))
	return l
}

// Entries counts n entries, whatever becomes of them. It fails with remote.ErrMalformed when they
// are too many.
func (l *Listing) Entries(n int) error {
	if l.left.Add(-int64(n)) < 0 {
		return errEndless
	}
	return nil
}

// pageCost is how many entries a page counts for that holds none, and any other besides its own:
// what comes in pages for ever has no end, even if they are empty.
const pageCost = 100

// Page counts a page of n entries.
func (l *Listing) Page(n int) error { return l.Entries(n + pageCost) }
