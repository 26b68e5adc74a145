package dropboxserver

import (
	"crypto/sha256"
	"encoding/hex"
)

// ContentHash returns the checksum of a content as the service tells it: each block of 4 MiB is
// hashed by SHA-256, and the row of these hashes once more.
func ContentHash(content []byte) string {
	const block = 4 * 1024 * 1024
	outer := sha256.New()
	for begin := 0; begin < len(content); begin += block {
		inner := sha256.Sum256(content[begin:min(begin+block, len(content))])
		_, _ = outer.Write(inner[:]) // never fails
	}
	return hex.EncodeToString(outer.Sum(nil))
}
