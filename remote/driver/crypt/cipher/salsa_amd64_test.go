package cipher

import (
	"bytes"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/salsa20/salsa" //lint:ignore SA1019 it is what is compared with
	"golang.org/x/sys/cpu"
)

// TestEveryWayToTheKeyStream compares what processors have with the code of x/crypto.
func TestEveryWayToTheKeyStream(t *testing.T) {
	in := make([]byte, BlockData)
	var nonce [8]byte
	var key [32]byte
	for _, b := range [][]byte{in, nonce[:], key[:]} {
		_, _ = rand.Read(b) // never fails
	}
	counter := [16]byte{8: 1}
	copy(counter[:], nonce[:])
	want := make([]byte, len(in))
	salsa.XORKeyStream(want, in, &counter, &key)
	lengths := []int{len(in), len(in) - 32, 0}
	for n := 1; n < 5000; n += 61 {
		lengths = append(lengths, n)
	}
	for _, way := range []struct {
		name                 string
		has                  bool
		withAVX512, withAVX2 bool
	}{
		{"nothing", true, false, false}, {"AVX2", cpu.X86.HasAVX2, false, true},
		{"AVX-512", cpu.X86.HasAVX512F, true, false}, {"both", cpu.X86.HasAVX512F && cpu.X86.HasAVX2, true, true},
	} {
		if !way.has {
			t.Logf("this processor has no %s", way.name)
			continue
		}
		for _, n := range lengths {
			got := make([]byte, n)
			xorKeyStreamBy(got, in[:n], &nonce, &key, way.withAVX512, way.withAVX2)
			if !bytes.Equal(got, want[:n]) {
				t.Fatalf("%s: %d bytes differ", way.name, n)
			}
			copy(got, in)
			xorKeyStreamBy(got, got, &nonce, &key, way.withAVX512, way.withAVX2)
			if !bytes.Equal(got, want[:n]) {
				t.Fatalf("%s: %d bytes in place differ", way.name, n)
			}
		}
	}
}
