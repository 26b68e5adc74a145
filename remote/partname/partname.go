// Package partname names the hidden files that uploads are written to beside their targets, by
// drivers whose remotes are file systems:
//
//	.ferry-part.OWNER~N.NAME    an upload under way; N counts those of one owner and name
//	.ferry-part.OWNER.NAME      what Keep left
//	.ferry-part.OWNER~N#HASH    and .ferry-part.OWNER#HASH, where NAME is too long for that
package partname

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"ferry/remote"
)

// prefix begins the names of the hidden files that uploads are written to.
const prefix = ".ferry-part."

// MaxLen is the longest name of a file, in bytes, that file systems commonly hold.
const MaxLen = 255

// PutOwner is whom the hidden files of Put belong to. It is no valid owner, so that they are
// nobody's parts.
const PutOwner = "-"

// A Name is what the name of a hidden file says.
type Name struct {
	Owner string
	Slot  int    // 0 = kept
	Base  string // of the target; "" where only the hash is there
}

// String composes the name of the hidden file, with a hash in place of a name that would make it
// too long.
func (p Name) String() string {
	head := prefix + p.Owner
	if p.Slot > 0 {
		head += "~" + strconv.Itoa(p.Slot)
	}
	if len(head)+1+len(p.Base) <= MaxLen {
		return head + "." + p.Base
	}
	sum := sha256.Sum256([]byte(p.Base))
	return head + "#" + hex.EncodeToString(sum[:16])
}

// Parse takes the name of a hidden file apart.
func Parse(base string) (p Name, ok bool) {
	rest, ok := strings.CutPrefix(base, prefix)
	if !ok {
		return p, false
	}
	i := strings.IndexAny(rest, ".~#")
	if i < 0 {
		return p, false
	}
	p.Owner = rest[:i]
	if p.Owner != PutOwner && !remote.ValidOwner(p.Owner) {
		return p, false
	}
	if rest[i] == '~' {
		rest = rest[i+1:]
		if i = strings.IndexAny(rest, ".#"); i < 0 {
			return p, false
		}
		slot, err := strconv.Atoi(rest[:i])
		if err != nil || slot < 1 {
			return p, false
		}
		p.Slot = slot
	}
	if rest[i] == '.' {
		p.Base = rest[i+1:]
	}
	return p, p.Base != "" || rest[i] == '#'
}

// Hidden reports whether base could be taken for the name of a hidden file, also where case does
// not count.
func Hidden(base string) bool {
	return len(base) >= len(prefix) && strings.EqualFold(base[:len(prefix)], prefix)
}
