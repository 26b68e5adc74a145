package cipher

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/salsa20/salsa" //lint:ignore SA1019 secretbox is made of it
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
	var k blockKeys
	k.derive(&c.keys.Data, n)
	b = slices.Grow(b, Overhead+len(plain))
	sealed := b[len(b) : len(b)+Overhead+len(plain)]
	k.xor(sealed[Overhead:], plain)
	authenticate((*[Overhead]byte)(sealed), sealed[Overhead:], &k.poly)
	return b[:len(b)+len(sealed)]
}

// Open appends what was sealed under the nonce n, or returns ErrBlock. What is appended may not
// overlap sealed.
func (c *Cipher) Open(b, sealed []byte, n Nonce) ([]byte, error) {
	if len(sealed) <= Overhead {
		return b, fmt.Errorf("%w: a block is cut short", ErrBlock)
	}
	var k blockKeys
	k.derive(&c.keys.Data, n)
	tag, data := sealed[:Overhead], sealed[Overhead:]
	var right [Overhead]byte
	authenticate(&right, data, &k.poly)
	if subtle.ConstantTimeCompare(tag, right[:]) != 1 {
		return b, ErrBlock
	}
	b = slices.Grow(b, len(data))
	k.xor(b[len(b):len(b)+len(data)], data)
	return b[:len(b)+len(data)], nil
}

// blockKeys are what secretbox makes of a key and a nonce.
type blockKeys struct {
	key   [32]byte
	nonce [8]byte
	poly  [32]byte // of the tag
	first [32]byte // the key stream of the first bytes
}

func (k *blockKeys) derive(data *[32]byte, n Nonce) {
	k.nonce = [8]byte(n[16:])
	head := [16]byte(n[:])
	salsa.HSalsa20(&k.key, &head, data, &salsa.Sigma)
	var stream [64]byte
	var counter [16]byte
	copy(counter[:], k.nonce[:])
	salsa.XORKeyStream(stream[:], stream[:], &counter, &k.key)
	copy(k.poly[:], stream[:])
	copy(k.first[:], stream[len(k.poly):])
}

// xor writes in ^ the key stream to out, which has the same length and does not overlap it.
func (k *blockKeys) xor(out, in []byte) {
	n := subtle.XORBytes(out, in, k.first[:])
	xorKeyStream(out[n:], in[n:], &k.nonce, &k.key)
}
