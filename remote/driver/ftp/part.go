package ftp

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"ferry/remote"
)

// partPrefix begins the names of the hidden files that uploads are stored as, of the form
// .ferry-put.XXXXXXXX.NAME. It is not the one of package partname: the server may be a ferry, which
// keeps those to itself.
const partPrefix = ".ferry-put."

// maxName is the longest name element that servers commonly hold, in bytes.
const maxName = 255

// tokenLen is the length of the token in hexadecimal digits.
const tokenLen = 8

// partName returns a new name for an upload of what the server calls held, with a hash in place of
// a name that would make it too long.
func partName(held string) string {
	token := hex.EncodeToString([]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())})
	head := partPrefix + token + "."
	if len(head)+len(held) <= maxName {
		return head + held
	}
	sum := sha256.Sum256([]byte(held))
	return head + hex.EncodeToString(sum[:16])
}

// isPart reports whether base is a name that partName gives.
func isPart(base string) bool {
	rest, ok := strings.CutPrefix(base, partPrefix)
	return ok && len(rest) > tokenLen+1 && rest[tokenLen] == '.' && strings.Trim(rest[:tokenLen], "0123456789abcdef") == ""
}

// newPart returns the path on the server of a hidden file beside name, and claims it until release.
func (r *Remote) newPart(s *session, name string) (part string, release func()) {
	dir, base := remote.Split(name)
	part = r.partPath(s, dir, partName(r.o.Encoding.Encode(base)))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy[part] = true
	return part, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.busy, part)
	}
}

// partPath returns the path on the server of the hidden file part in dir.
func (r *Remote) partPath(s *session, dir, part string) string {
	p := r.path(s, dir)
	if p == "/" {
		return p + part
	}
	return p + "/" + part
}

func (r *Remote) writing(p string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy[p]
}
