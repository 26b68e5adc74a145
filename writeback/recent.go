package writeback

import "ferry/remote"

// recent remembers which names were changed through this tree, and in which order: on a remote
// without versions, two contents of one size that were stored within a second look the same. It
// forgets all when there are too many; then everything counts as changed. The zero value is ready.
type recent struct {
	n     uint64            // changes so far
	at    map[string]uint64 // the last change of a name, by key
	floor uint64            // changes up to this one are forgotten
}

const maxRecent = 10_000

// note notes a change of the name of key, or of everything in the directory of that name.
func (r *recent) note(key string) {
	r.n++
	if r.at == nil || len(r.at) >= maxRecent {
		r.at, r.floor = map[string]uint64{}, r.n-1
	}
	r.at[key] = r.n
}

// since reports whether name of key, or a directory above it, may have been changed since there
// were n changes.
func (r *recent) since(key string, n uint64) bool {
	if r.floor > n {
		return true
	}
	for ; key != "."; key, _ = remote.Split(key) {
		if r.at[key] > n {
			return true
		}
	}
	return false
}
