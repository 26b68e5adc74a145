package readahead

import (
	"encoding/hex"
	"strings"

	"ferry/remote"
)

// maxVerify is the largest size of a copy that is compared with its checksum before its first byte
// is read; larger ones are compared while they are read.
const maxVerify = 64 << 20

// verifyCopy compares a complete copy with the checksum that the remote reports, once. It returns
// false if the copy is wrong: then it must not be read any more.
func (f *file) verifyCopy() bool {
	f.verifying.Lock()
	defer f.verifying.Unlock()
	f.mu.Lock()
	usable := f.copy != nil && !f.broken
	f.mu.Unlock()
	e := f.entry
	if e.Digest == "" {
		e.Digest = digestOf(f.fp.Hash)
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

// digestOf returns the Digest of a fingerprint's hash.
func digestOf(hash string) remote.Digest {
	sum, err := hex.DecodeString(strings.TrimPrefix(hash, remote.MD5+":"))
	if err != nil {
		return ""
	}
	return remote.NewDigest(remote.MD5, sum)
}
