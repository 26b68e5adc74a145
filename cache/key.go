package cache

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"path"
)

// The directories of a Store; Open makes them.
const (
	tmpDir   = "tmp"
	partDir  = "part"
	dirtyDir = "dirty"
	lostDir  = "lost"
	cleanDir = "clean"
	doubtDir = "doubt"
	lockName = "lock"

	uploadsDir = "uploads"
)

// newID returns the name of a new file in tmp/; the file keeps it in dirty/ and lost/.
func newID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// validID reports whether s has the form of newID.
func validID(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 8
}

// partPath returns the path of owner's unfinished upload of name.
func partPath(name, owner string) string { return path.Join(partDir, key(owner, name)) }

// key returns a file name for names of any length and bytes.
func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// A copyKey is a file name in clean/.
type copyKey [16]byte

func copyKeyOf(name string) copyKey {
	k, _ := parseCopyKey(key(name)) // key makes them
	return k
}

func parseCopyKey(s string) (k copyKey, ok bool) {
	n, err := hex.Decode(k[:], []byte(s))
	return k, err == nil && n == len(k) && hex.EncodeToString(k[:]) == s
}

func (k copyKey) path() string {
	name := hex.EncodeToString(k[:])
	return path.Join(cleanDir, name[:2], name)
}
