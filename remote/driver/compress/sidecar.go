package compress

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"ferry/remote"
)

// The ways in which contents are stored.
const (
	modePlain = 0
	modeGzip  = 2
	modeZstd  = 4
)

// A sidecar says how the content of a file is stored.
type sidecar struct {
	Mode int
	Size int64 // of the file
	MD5  string
	Gzip *blocks `json:"CompressionMetadataGzip"`
}

// blocks are the pieces of a content that can be decompressed alone.
type blocks struct {
	BlockSize int64   // of the file in each but the last
	BlockData []int64 // bytes of the header, then of each block
}

const (
	// maxSidecar is more than the sidecar of any file has: 64 MiB for blocks of 1 MiB are a file of
	// some terabytes.
	maxSidecar = 64 << 20
)

// readSidecar reads and checks a sidecar. A content that it cannot be about is ErrMalformed.
func readSidecar(r io.Reader) (s sidecar, err error) {
	content, err := io.ReadAll(io.LimitReader(r, maxSidecar+1))
	if err != nil {
		return s, err
	}
	if len(content) > maxSidecar || json.Unmarshal(content, &s) != nil || s.Size < 0 {
		return s, fmt.Errorf("the file that says how this one is compressed: %w", remote.ErrMalformed)
	}
	switch s.Mode {
	case modePlain, modeZstd:
		return s, nil
	case modeGzip:
		return s, s.Gzip.check(s.Size)
	}
	return s, fmt.Errorf("compressed in a way that is not known (%d): %w", s.Mode, remote.ErrUnsupported)
}

func (b *blocks) check(size int64) error {
	bad := fmt.Errorf("the blocks of a compressed file do not make its length: %w", remote.ErrMalformed)
	if b == nil || b.BlockSize <= 0 || len(b.BlockData) == 0 {
		return bad
	}
	sum := int64(0)
	for _, n := range b.BlockData {
		if sum += n; n < 0 || sum < 0 {
			return bad
		}
	}
	if count := int64(len(b.BlockData) - 1); (size+b.BlockSize-1)/b.BlockSize != count {
		return bad
	}
	return nil
}

// from returns where the block begins that off is in, in the content and in the file.
func (b *blocks) from(off int64) (start, plain int64) {
	number := off / b.BlockSize
	for _, n := range b.BlockData[:number+1] {
		start += n
	}
	return start, number * b.BlockSize
}

// sum is the MD5 of the file, nil if it is not known.
func (s sidecar) sum() []byte {
	sum, err := hex.DecodeString(s.MD5)
	if err != nil || len(sum) != 16 {
		return nil
	}
	return sum
}
