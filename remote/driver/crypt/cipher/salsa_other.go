//go:build !amd64

package cipher

import "golang.org/x/crypto/salsa20/salsa"

// xorKeyStream writes in ^ the key stream of Salsa20 from block 1 on to out, which has the same
// length, and is in or does not overlap it.
func xorKeyStream(out, in []byte, nonce *[8]byte, key *[32]byte) {
	counter := [16]byte{8: 1}
	copy(counter[:], nonce[:])
	salsa.XORKeyStream(out, in, &counter, key)
}
