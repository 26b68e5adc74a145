package cipher

import (
	"bytes"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/poly1305" //lint:ignore SA1019 it is what is compared with
	"golang.org/x/sys/cpu"
)

// TestEveryWayToTheTag compares what processors have with the code of x/crypto: with random texts,
// and with those that carry most.
func TestEveryWayToTheTag(t *testing.T) {
	if !cpu.X86.HasAVX512IFMA {
		t.Log("this processor has no AVX-512 IFMA")
	}
	random := make([]byte, BlockData+32)
	_, _ = rand.Read(random) // never fails
	ones := bytes.Repeat([]byte{0xFF}, BlockData)
	low := bytes.Repeat(append([]byte{0xFB}, ones[:15]...), BlockData/16)
	keys := [][32]byte{{}, [32]byte(ones), [32]byte(random[BlockData:]), {0: 1}, {0: 4}, {0: 2, 16: 0xFF}, {12: 0xFC, 15: 0x0F}}
	lengths := []int{BlockData, BlockData - 1, BlockData - 16, BlockData - 128, 0, 1}
	for n := wideLength - 1; n < wideLength+3*polyGroup; n += 5 {
		lengths = append(lengths, n, n&^(polyBlock-1), n&^(polyGroup-1))
	}
	for _, text := range [][]byte{random[:BlockData], ones, low, make([]byte, BlockData)} {
		for _, key := range keys {
			for _, n := range lengths {
				var got, want [Overhead]byte
				poly1305.Sum(&want, text[:n], &key)
				authenticateBy(&got, text[:n], &key, cpu.X86.HasAVX512IFMA)
				if got != want {
					t.Fatalf("%d bytes from %x under %x: %x, want %x", n, text[:4], key, got, want)
				}
				authenticateBy(&got, text[:n], &key, false)
				if got != want {
					t.Fatalf("%d bytes from %x under %x without vectors: %x, want %x", n, text[:4], key, got, want)
				}
			}
		}
	}
}

// TestNumbersAreReduced reduces numbers next to 2^130 - 5, which texts hardly reach.
func TestNumbersAreReduced(t *testing.T) {
	for _, c := range []struct {
		a         limbs
		low, high uint64
	}{
		{limbs{}, 0, 0},
		{limbs{4}, 4, 0},
		{limbs{mask44 - 5, mask44, mask42}, ^uint64(0) - 5, ^uint64(0)}, // 2^130 - 6
		{limbs{mask44 - 4, mask44, mask42}, 0, 0},                       // 2^130 - 5
		{limbs{mask44, mask44, mask42}, 4, 0},                           // 2^130 - 1
		{limbs{mask44 + 1, mask44, mask42}, 5, 0},                       // 2^130
		{limbs{0, 0, 1 << 42}, 5, 0},
		{limbs{0, 1 << 44, mask42}, 5, 0},
		{limbs{mask44, 2*mask44 + 1, mask42}, 4, 1 << 24}, // 2^130 + 2^88 - 1
	} {
		if low, high := c.a.reduce(); low != c.low || high != c.high {
			t.Errorf("%x is reduced to %x %x, want %x %x", c.a, high, low, c.high, c.low)
		}
	}
}
