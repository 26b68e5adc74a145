package cipher

import (
	"encoding/binary"

	"golang.org/x/crypto/salsa20/salsa" //lint:ignore SA1019 secretbox is made of it
	"golang.org/x/sys/cpu"
)

// How many bytes xorGroups and xorGroups512 do at a time: 6 and 16 blocks of Salsa20.
const (
	groupSize    = 6 * 64
	groupSize512 = 16 * 64
)

// diagonals are the words of Salsa20's matrix as xorGroups takes them.
type diagonals [16]uint32

// xorGroups writes src ^ the key stream to dst, groups times groupSize bytes. Only the low half of
// the counter counts. groups is not 0, dst is src or does not overlap it. It needs AVX2.
//
//go:noescape
func xorGroups(dst, src *byte, groups int, state *diagonals)

// xorGroups512 is xorGroups with groups of groupSize512 bytes. It needs AVX-512 F.
//
//go:noescape
func xorGroups512(dst, src *byte, groups int, state *diagonals)

// xorKeyStream writes in ^ the key stream of Salsa20 from block 1 on to out, which has the same
// length, and is in or does not overlap it. The blocks of a file are so short that the counter
// stays below 32 bits.
func xorKeyStream(out, in []byte, nonce *[8]byte, key *[32]byte) {
	xorKeyStreamBy(out, in, nonce, key, cpu.X86.HasAVX512F, cpu.X86.HasAVX2)
}

// xorKeyStreamBy is xorKeyStream with what of the processor may be used.
func xorKeyStreamBy(out, in []byte, nonce *[8]byte, key *[32]byte, avx512, avx2 bool) {
	state := newDiagonals(nonce, key)
	if groups := len(in) / groupSize512; groups > 0 && avx512 {
		xorGroups512(&out[0], &in[0], groups, &state)
		done := groups * groupSize512
		out, in = out[done:], in[done:]
		state[counterWord] += uint32(done / 64)
	}
	if len(in) > groupSize512/4 && avx512 { // a whole group takes less time than what follows
		var rest [groupSize512]byte
		copy(rest[:], in)
		xorGroups512(&rest[0], &rest[0], 1, &state)
		copy(out, rest[:len(in)])
		return
	}
	if groups := len(in) / groupSize; groups > 0 && avx2 {
		xorGroups(&out[0], &in[0], groups, &state)
		done := groups * groupSize
		out, in = out[done:], in[done:]
		state[counterWord] += uint32(done / 64)
	}
	var counter [16]byte
	copy(counter[:], nonce[:])
	binary.LittleEndian.PutUint32(counter[8:], state[counterWord])
	salsa.XORKeyStream(out, in, &counter, key)
}

// counterWord is where the low half of the counter is among the diagonals.
const counterWord = 8

// newDiagonals returns the matrix whose counter is 1.
func newDiagonals(nonce *[8]byte, key *[32]byte) diagonals {
	k := func(i int) uint32 { return binary.LittleEndian.Uint32(key[4*i:]) }
	n := func(i int) uint32 { return binary.LittleEndian.Uint32(nonce[4*i:]) }
	c := func(i int) uint32 { return binary.LittleEndian.Uint32(salsa.Sigma[4*i:]) }
	return diagonals{
		c(0), c(1), c(2), c(3),
		k(3), 0, k(7), k(2),
		1, k(6), k(1), n(1),
		k(5), k(0), n(0), k(4),
	}
}
