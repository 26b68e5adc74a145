package readahead

import (
	"encoding/hex"
	"strings"

	"ferry/remote"
)

// maxVerify is up to which size a copy is compared with its checksum before the first byte of it is
// read; a larger one is compared while it is read.
const maxVerify = 64 << 20

// sound compares a copy that is held as a whole with the checksum that the remote tells, once. It
// is false where it is wrong: then nobody may read it any more.
func (f *file) sound() bool {
	f.verifying.Lock()
	defer f.verifying.Unlock()
	f.mu.Lock()
	usable := f.copy != nil && !f.broken
	f.mu.Unlock()
	e := f.entry
	if e.Digest == "" {
		e.Digest = digestOf(f.print.Hash)
	}
	h := e.Digest.New()
	if !usable || h == nil || e.Size > maxVerify || !f.tree.opt.Checksums.compares(e) {
		return true
	}
	right, err := f.copy.Verify(h, func() bool { return e.Digest.Is(h) })
	switch {
	case err != nil:
		f.tree.warn("the disk cache fails", f.name, err)
	case !right:
		f.tree.warn("a copy in the disk cache does not have the checksum that the remote tells; reading from the remote", f.name, remote.ErrDigest)
	}
	return right && err == nil
}

// digestOf returns what a fingerprint has as its hash.
func digestOf(hash string) remote.Digest {
	sum, err := hex.DecodeString(strings.TrimPrefix(hash, remote.MD5+":"))
	if err != nil {
		return ""
	}
	return remote.NewDigest(remote.MD5, sum)
}

// verified notes that all that was read had the right checksum.
func (r *reader) verified() {
	if r.opened.Whole {
		r.file.copy.SetVerified(r.opened)
	}
}
