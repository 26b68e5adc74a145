package config

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// obscureKey is public. Obscured values are hidden from bystanders, not from attackers.
const obscureKey = "\x9c\x93\x5b\x48\x73\x0a\x55\x4d\x6b\xfd\x7c\x63\xc8\x86\xa9\x2b" +
	"\xd3\x90\x19\x8e\xb8\x12\x8a\xfb\xf4\xde\x16\x2b\x8b\x95\xf6\x38"

// Obscure returns a password in the form of rclone: 16 random bytes and the text in AES-256-CTR
// under a key that is public, in base64 for URLs. It is not encryption. The result is different
// each time.
func Obscure(text string) string {
	b := make([]byte, aes.BlockSize+len(text))
	rand.Read(b[:aes.BlockSize]) // never fails: see crypto/rand
	copy(b[aes.BlockSize:], text)
	obscureStream(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Reveal undoes Obscure. It detects few mistakes: a text of 22 characters or more that is not
// obscured may be accepted, and gives garbage.
func Reveal(obscured string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(obscured)
	if err != nil {
		return "", errors.New("not obscured: it is not base64 of letters, digits, - and _")
	}
	if len(b) < aes.BlockSize {
		return "", errors.New("not obscured: it is too short")
	}
	obscureStream(b)
	return string(b[aes.BlockSize:]), nil
}

// LooksObscured reports whether text is probably what Obscure returns, and no password in clear: it
// hides something that could be typed.
func LooksObscured(text string) bool {
	plain, err := Reveal(text)
	return err == nil && plain != "" && isText(plain)
}

// isText reports whether a password can be typed.
func isText(password string) bool {
	return utf8.ValidString(password) && !strings.ContainsFunc(password, unicode.IsControl)
}

// obscureStream encrypts or decrypts b after its first block.
func obscureStream(b []byte) {
	block, err := aes.NewCipher([]byte(obscureKey))
	if err != nil {
		panic(err) // the length of the key is wrong
	}
	cipher.NewCTR(block, b[:aes.BlockSize]).XORKeyStream(b[aes.BlockSize:], b[aes.BlockSize:])
}
