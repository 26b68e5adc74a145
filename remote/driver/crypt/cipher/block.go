package cipher

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/nacl/secretbox"
)

// magic begins every file.
const magic = "RCLONE\x00\x00"

const nonceSize = 24

// ErrBlock means that a block is not what was written.
var ErrBlock = errors.New("a block cannot be decrypted: it was changed, or the password is another one")

// A Nonce is what no two contents may be sealed under with one key.
type Nonce [nonceSize]byte

// NewNonce returns a random nonce, for one file.
func NewNonce() Nonce {
	var n Nonce
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// Add returns the nonce of the block of that number in a file whose nonce is n.
func (n Nonce) Add(block uint64) Nonce {
	low := binary.LittleEndian.Uint64(n[:])
	binary.LittleEndian.PutUint64(n[:], low+block)
	for i := 8; low+block < low && i < len(n); i++ {
		n[i]++
		if n[i] != 0 {
			break
		}
	}
	return n
}

// AppendHeader appends the header of a file whose nonce is n.
func AppendHeader(b []byte, n Nonce) []byte { return append(append(b, magic...), n[:]...) }

// ParseHeader returns the nonce that a header holds.
func ParseHeader(header []byte) (Nonce, error) {
	var n Nonce
	if int64(len(header)) < HeaderSize || string(header[:len(magic)]) != magic {
		return n, fmt.Errorf("%w: it does not begin as an encrypted file does", ErrNotEncrypted)
	}
	copy(n[:], header[len(magic):])
	return n, nil
}

// Seal appends the sealed block of plain, which has from 1 to BlockData bytes, under the nonce n.
// What is appended may not overlap plain.
func (c *Cipher) Seal(b, plain []byte, n Nonce) []byte {
	return secretbox.Seal(b, plain, (*[nonceSize]byte)(&n), &c.keys.Data)
}

// Open appends what was sealed under the nonce n, or returns ErrBlock. What is appended may not
// overlap sealed.
func (c *Cipher) Open(b, sealed []byte, n Nonce) ([]byte, error) {
	if len(sealed) <= Overhead {
		return b, fmt.Errorf("%w: a block is cut short", ErrBlock)
	}
	opened, ok := secretbox.Open(b, sealed, (*[nonceSize]byte)(&n), &c.keys.Data)
	if !ok {
		return b, ErrBlock
	}
	return opened, nil
}
