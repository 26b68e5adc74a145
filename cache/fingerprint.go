package cache

import "time"

// A Fingerprint identifies a version of a file.
type Fingerprint struct {
	Version string // empty where the remote has none
	Size    int64
	ModTime time.Time
	Hash    string
}

// Equal reports whether f and g identify the same version. Version decides if both have one, else
// all other fields do. Hashes are compared only if both have one.
func (f Fingerprint) Equal(g Fingerprint) bool {
	if f.Version != "" && g.Version != "" {
		return f.Version == g.Version
	}
	if f.Hash != "" && g.Hash != "" && f.Hash != g.Hash {
		return false
	}
	return f.Size == g.Size && f.ModTime.Equal(g.ModTime)
}
