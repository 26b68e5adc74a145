package graphserver

import "encoding/base64"

// quickXor computes the checksum as it is defined, bit by bit: byte i is turned by 11 * i bits in a
// ring of 160. Bytes that are 160 apart are turned alike.
func quickXor(content []byte) string {
	var alike [160]byte
	for piece := content; len(piece) > 0; piece = piece[min(160, len(piece)):] {
		for i, b := range piece[:min(160, len(piece))] {
			alike[i] ^= b
		}
	}
	var ring [160]bool
	for i, b := range alike {
		for bit := range 8 {
			if b>>bit&1 == 1 {
				at := (i*11 + bit) % 160
				ring[at] = !ring[at]
			}
		}
	}
	var sum [20]byte
	for i, set := range ring {
		if set {
			sum[i/8] |= 1 << (i % 8)
		}
	}
	for i := range 8 {
		sum[12+i] ^= byte(uint64(len(content)) >> (8 * i))
	}
	return base64.StdEncoding.EncodeToString(sum[:])
}
