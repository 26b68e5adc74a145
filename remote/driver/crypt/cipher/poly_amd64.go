package cipher

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/crypto/poly1305" //lint:ignore SA1019 secretbox is made of it
	"golang.org/x/sys/cpu"
)

// Poly1305 of a long text is the sum of eight, each of every eighth block, which vectors compute
// together. The code of x/crypto takes one block after the other.
const (
	lanes     = 8
	polyBlock = 16
	polyGroup = lanes * polyBlock
	// wideLength is from where on it is worth its beginning and its end.
	wideLength = 1024
)

// limbs are a number modulo 2^130 - 5: 44, 44 and 42 bits from the lowest on, and a few more before
// they are carried.
type limbs [3]uint64

const (
	mask44 = 1<<44 - 1
	mask42 = 1<<42 - 1
)

// laneSums are the limbs of eight numbers. The number for blocks 0, 4, 1, 5 and so on of each group
// is at 0, 1, 2, 3 and so on.
type laneSums [3][lanes]uint64

// A factor is what addGroups multiplies by: its limbs, then 20 times the upper two, as 2^132 is 20.
type factor [5]uint64

// addGroups multiplies each of the sums by the factor and adds its block of the next group to it,
// groups times. groups is not 0; the sums are carried, before and after. It needs AVX-512 IFMA.
//
//go:noescape
func addGroups(sums *laneSums, src *byte, groups int, f *factor)

// authenticate writes the tag of Poly1305 of a text under a key that is for this text only.
func authenticate(tag *[Overhead]byte, text []byte, key *[32]byte) {
	authenticateBy(tag, text, key, cpu.X86.HasAVX512IFMA && cpu.X86.HasAVX512F)
}

// authenticateBy is authenticate with what of the processor may be used.
func authenticateBy(tag *[Overhead]byte, text []byte, key *[32]byte, ifma bool) {
	if !ifma || len(text) < wideLength {
		poly1305.Sum(tag, text, key)
		return
	}
	r := newLimbs(binary.LittleEndian.Uint64(key[:])&0x0FFFFFFC0FFFFFFF, binary.LittleEndian.Uint64(key[8:])&0x0FFFFFFC0FFFFFFC, 0)
	var powers [lanes + 1]limbs // of r
	powers[1] = r
	for i := 2; i <= lanes; i++ {
		powers[i] = powers[i-1].times(r)
	}
	var sums laneSums
	last := powers[lanes]
	groups := len(text) / polyGroup
	addGroups(&sums, &text[0], groups, &factor{last[0], last[1], last[2], 20 * last[1], 20 * last[2]})
	sum := sums.join(&powers)
	for text = text[groups*polyGroup:]; len(text) >= polyBlock; text = text[polyBlock:] {
		sum = sum.plus(newLimbs(binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:]), 1)).times(r)
	}
	if len(text) > 0 {
		var b [polyBlock]byte
		b[copy(b[:], text)] = 1
		sum = sum.plus(newLimbs(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), 0)).times(r)
	}
	low, high := sum.reduce()
	low, carry := bits.Add64(low, binary.LittleEndian.Uint64(key[16:]), 0)
	high, _ = bits.Add64(high, binary.LittleEndian.Uint64(key[24:]), carry)
	binary.LittleEndian.PutUint64(tag[:], low)
	binary.LittleEndian.PutUint64(tag[8:], high)
}

// join multiplies each sum by the power of r that its last block lacks, and adds them up.
func (s *laneSums) join(powers *[lanes + 1]limbs) (sum limbs) {
	for i := range lanes {
		block := i/2 + i%2*lanes/2
		sum = sum.plus(limbs{s[0][i], s[1][i], s[2][i]}.times(powers[lanes-block]))
	}
	return sum
}

// newLimbs returns the number of 128 bits, with more above them.
func newLimbs(low, high, above uint64) limbs {
	return limbs{low & mask44, (low>>44 | high<<20) & mask44, high>>24 | above<<40}
}

func (a limbs) plus(b limbs) limbs { return limbs{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }

// times returns a * b, carried. Those of a may have up to 56 bits, those of b up to 45.
func (a limbs) times(b limbs) limbs {
	s1, s2 := 20*b[1], 20*b[2]
	h0, l0 := products(a, b[0], s2, s1)
	h1, l1 := products(a, b[1], b[0], s2)
	h2, l2 := products(a, b[2], b[1], b[0])
	var c uint64
	l1, c = bits.Add64(l1, h0<<20|l0>>44, 0)
	h1 += c
	l2, c = bits.Add64(l2, h1<<20|l1>>44, 0)
	h2 += c
	low := l0&mask44 + 5*(h2<<22|l2>>42)
	return limbs{low & mask44, l1&mask44 + low>>44, l2 & mask42}
}

// products returns the sum of the products of the limbs of a with x, y and z.
func products(a limbs, x, y, z uint64) (high, low uint64) {
	high, low = bits.Mul64(a[0], x)
	h, l := bits.Mul64(a[1], y)
	low, c := bits.Add64(low, l, 0)
	high += h + c
	h, l = bits.Mul64(a[2], z)
	low, c = bits.Add64(low, l, 0)
	return high + h + c, low
}

// reduce returns the lower 128 bits of the number modulo 2^130 - 5. Its limbs may have up to 56
// bits. No branch depends on it.
func (a limbs) reduce() (low, high uint64) {
	for range 2 {
		a[2] += a[1] >> 44
		a[1] &= mask44
		a[0] += 5 * (a[2] >> 42)
		a[2] &= mask42
		a[1] += a[0] >> 44
		a[0] &= mask44
	}
	// a + 5 has bit 130 if a is not below 2^130 - 5; without that bit it is then what is left.
	b := limbs{a[0] + 5, a[1], a[2]}
	b[1] += b[0] >> 44
	b[0] &= mask44
	b[2] += b[1] >> 44
	b[1] &= mask44
	whole := -(b[2] >> 42) // all ones, or zeros
	for i := range a {
		a[i] ^= whole & (a[i] ^ b[i])
	}
	return a[0] | a[1]<<44, a[1]>>20 | a[2]<<24
}
