package local

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"ferry/remote"
)

// partPrefix begins the names of the hidden files that uploads are written to.
const partPrefix = ".ferry-part."

// putOwner is whom the hidden files of Put belong to. It is no valid owner, so that they are nobody's parts.
const putOwner = "-"

// A partName is what the name of a hidden file says.
type partName struct {
	owner string
	slot  int    // 0 = kept
	name  string // "" where only the hash is there
}

// String composes the name of the hidden file, with a hash in place of a name that would make it too long.
func (p partName) String() string {
	head := partPrefix + p.owner
	if p.slot > 0 {
		head += "~" + strconv.Itoa(p.slot)
	}
	if len(head)+1+len(p.name) <= maxName {
		return head + "." + p.name
	}
	sum := sha256.Sum256([]byte(p.name))
	return head + "#" + hex.EncodeToString(sum[:16])
}

// parsePart takes the name of a hidden file apart.
func parsePart(base string) (p partName, ok bool) {
	rest, ok := strings.CutPrefix(base, partPrefix)
	if !ok {
		return p, false
	}
	i := strings.IndexAny(rest, ".~#")
	if i < 0 {
		return p, false
	}
	p.owner = rest[:i]
	if p.owner != putOwner && !remote.ValidOwner(p.owner) {
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
		p.slot = slot
	}
	if rest[i] == '.' {
		p.name = rest[i+1:]
	}
	return p, p.name != "" || rest[i] == '#'
}

// hidden reports whether base could be taken for the name of a hidden file, also where case does not count.
func hidden(base string) bool {
	return len(base) >= len(partPrefix) && strings.EqualFold(base[:len(partPrefix)], partPrefix)
}

// holdable reports whether a file may have the name: every element is one the system can hold, and none is hidden.
func holdable(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if len(elem) > maxName || hidden(elem) || !holds(elem) {
			return false
		}
	}
	return true
}
