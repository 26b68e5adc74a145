package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// A proof is a keyed hash of texts, such as a user and a password. Without the key it tells nothing
// about them.
type proof [sha256.Size]byte

// A prover makes proofs that no other one makes.
type prover [32]byte

func newProver() (key prover) {
	_, _ = rand.Read(key[:]) // never fails
	return key
}

func (key prover) prove(texts ...string) (p proof) {
	m := hmac.New(sha256.New, key[:])
	var length [8]byte
	for _, s := range texts {
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		m.Write(length[:])
		m.Write([]byte(s))
	}
	m.Sum(p[:0])
	return p
}
