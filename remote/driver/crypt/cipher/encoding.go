package cipher

import (
	"encoding/base32"
	"encoding/base64"
	"strings"
)

// An encoding writes bytes as characters of names.
type encoding interface {
	encode(b []byte) string
	decode(s string) ([]byte, error)
	// width returns how many bytes the characters of n bytes have; 0 where that depends on them.
	width(n int) int
}

// hex32 is base32 with the extended alphabet of hexadecimal digits, in lower case and without
// padding.
type hex32 struct{ *base32.Encoding }

func newHex32() hex32 {
	return hex32{base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)}
}

func (h hex32) encode(b []byte) string { return h.EncodeToString(b) }

func (h hex32) decode(s string) ([]byte, error) { return h.DecodeString(strings.ToLower(s)) }

func (h hex32) width(n int) int { return h.EncodedLen(n) }

// url64 is base64 with the alphabet for addresses, without padding.
type url64 struct{}

func (url64) encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (url64) decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

func (url64) width(n int) int { return base64.RawURLEncoding.EncodedLen(n) }
