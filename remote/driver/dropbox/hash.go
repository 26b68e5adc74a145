package dropbox

import (
	"crypto/sha256"
	"encoding/hex"
)

// hashBlock is the length of the blocks whose sums are summed up.
const hashBlock = 4 << 20

// A contentHash is the checksum that Dropbox keeps of a content: the SHA-256 of the SHA-256 of its
// blocks, one behind the other. Content is added in whole blocks, but for the end.
type contentHash struct{ sums []byte }

// add adds content, and returns its own checksum.
func (h *contentHash) add(content []byte) string {
	begin := len(h.sums)
	for len(content) > 0 {
		n := min(len(content), hashBlock)
		sum := sha256.Sum256(content[:n])
		h.sums = append(h.sums, sum[:]...)
		content = content[n:]
	}
	return hexSum(h.sums[begin:])
}

// String returns the checksum of all that was added.
func (h *contentHash) String() string { return hexSum(h.sums) }

func hexSum(sums []byte) string {
	sum := sha256.Sum256(sums)
	return hex.EncodeToString(sum[:])
}
