package remote

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"strings"
)

// A Digest is a checksum of a file's content: the name of an algorithm, a colon and the raw sum. ""
// is unknown.
type Digest string

// The algorithms of Digests.
const (
	MD5    = "md5"
	CRC32C = "crc32c"
)

// ErrDigest ends a read whose content does not match the Digest that the remote reported.
var ErrDigest = errors.New("content does not have the checksum that the remote tells")

// NewDigest returns the Digest of a sum, which is unknown when it is empty.
func NewDigest(algorithm string, sum []byte) Digest {
	if len(sum) == 0 {
		return ""
	}
	return Digest(algorithm + ":" + string(sum))
}

// Algorithm returns the name of the algorithm, "" when the digest is unknown.
func (d Digest) Algorithm() string {
	algorithm, _, _ := strings.Cut(string(d), ":")
	return algorithm
}

// Hex returns the digest with the sum in hexadecimal digits, "" when it is unknown.
func (d Digest) Hex() string {
	algorithm, sum, ok := strings.Cut(string(d), ":")
	if !ok {
		return ""
	}
	return algorithm + ":" + hex.EncodeToString([]byte(sum))
}

// New returns a hash of the algorithm, or nil if the algorithm is unknown.
func (d Digest) New() hash.Hash {
	switch d.Algorithm() {
	case MD5:
		return md5.New()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	}
	return nil
}

// maxCheapMD5 is the largest size for which MD5 is cheap: a tenth of a second of CPU time.
const maxCheapMD5 = 64 << 20

// Cheap reports whether checking content of size against the digest is cheap: CRC32C always is, MD5
// up to 64 MiB.
func (d Digest) Cheap(size int64) bool { return d.Algorithm() != MD5 || size <= maxCheapMD5 }

// Is reports whether the bytes written to h, a hash returned by New, have this digest.
func (d Digest) Is(h hash.Hash) bool {
	_, sum, _ := strings.Cut(string(d), ":")
	return bytes.Equal(h.Sum(nil), []byte(sum))
}
