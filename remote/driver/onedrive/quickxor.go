package onedrive

import (
	"encoding/binary"
	"hash"
)

const (
	// QuickXor is the name of the checksum that every drive keeps of files.
	QuickXor = "quickxor"

	xorSize  = 20  // bytes of a sum
	xorBits  = 160 // in a sum
	xorShift = 11  // bits by which each byte is turned further than the one before it
)

// NewQuickXor returns a hash.Hash of the checksum QuickXorHash: every byte is turned 11 bits
// further than the one before it in a ring of 160 bits, where all are combined by exclusive or; the
// length is combined with the last 8 bytes.
func NewQuickXor() hash.Hash { return new(quickXor) }

// A quickXor keeps the bytes that fall on the same place apart until the end: every 160 bytes the
// places repeat.
type quickXor struct {
	folded [xorBits]byte // exclusive or of the bytes at each distance from the beginning, modulo 160
	length uint64
}

// Write implements hash.Hash. It never fails.
func (q *quickXor) Write(p []byte) (int, error) {
	n := len(p)
	at := int(q.length % xorBits)
	q.length += uint64(n)
	for len(p) > 0 {
		ring := q.folded[at:]
		if len(p) < len(ring) {
			ring = ring[:len(p)]
		}
		fold(ring, p[:len(ring)])
		p, at = p[len(ring):], 0
	}
	return n, nil
}

// fold combines b with ring, which is as long, eight bytes at a time.
func fold(ring, b []byte) {
	for len(ring) >= 8 {
		binary.NativeEndian.PutUint64(ring, binary.NativeEndian.Uint64(ring)^binary.NativeEndian.Uint64(b))
		ring, b = ring[8:], b[8:]
	}
	for i := range ring {
		ring[i] ^= b[i]
	}
}

// Sum implements hash.Hash.
func (q *quickXor) Sum(b []byte) []byte {
	var sum [xorSize]byte
	for i, c := range q.folded {
		bit := i * xorShift % xorBits
		first, turn := bit/8, bit%8
		sum[first] ^= c << turn
		sum[(first+1)%xorSize] ^= byte(uint16(c) << turn >> 8)
	}
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], q.length)
	for i, c := range length {
		sum[xorSize-len(length)+i] ^= c
	}
	return append(b, sum[:]...)
}

// Reset implements hash.Hash.
func (q *quickXor) Reset() { *q = quickXor{} }

// Size implements hash.Hash.
func (*quickXor) Size() int { return xorSize }

// BlockSize implements hash.Hash.
func (*quickXor) BlockSize() int { return 64 }
