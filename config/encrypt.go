package config

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/text/unicode/norm"
)

const (
	encryptMark   = "RCLONE_ENCRYPT_V0:"
	encryptFamily = "RCLONE_ENCRYPT_V"
	encryptTitle  = "# Encrypted rclone configuration File\n\n"
	nonceSize     = 24
)

var errWrongPassword = errors.New("wrong password")

// A fileKey encrypts a configuration file.
type fileKey [sha256.Size]byte

// newFileKey derives the key from a password. The password is converted to Unicode form NFKC first,
// so that the keyboard does not matter. Leading and trailing spaces count.
func newFileKey(password string) (*fileKey, error) {
	switch {
	case !utf8.ValidString(password):
		return nil, errors.New("the password is not UTF-8")
	case strings.TrimSpace(password) == "":
		return nil, errors.New("the password is empty")
	}
	key := fileKey(sha256.Sum256([]byte("[" + norm.NFKC.String(password) + "][rclone-config]")))
	return &key, nil
}

// cutSealed returns the nonce and the NaCl secretbox of an encrypted file, and whether text is one:
// this is decided by the first line that is neither blank nor a comment.
func cutSealed(text []byte) (box []byte, encrypted bool, err error) {
	rest := bytes.TrimPrefix(text, []byte(bom))
	for len(rest) > 0 {
		var first []byte
		first, rest, _ = bytes.Cut(rest, []byte("\n"))
		switch s := string(bytes.TrimSpace(first)); {
		case s == "" || s[0] == ';' || s[0] == '#':
		case s == encryptMark:
			box, err = decodeSealed(rest)
			return box, true, err
		case strings.HasPrefix(s, encryptFamily):
			return nil, true, errors.New("the file is encrypted in a newer way than " + strings.TrimSuffix(encryptMark, ":"))
		default:
			return nil, false, nil
		}
	}
	return nil, false, nil
}

func decodeSealed(encoded []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(b, encoded)
	if err != nil {
		return nil, fmt.Errorf("the encrypted file is damaged: %w", err)
	}
	if n < nonceSize+secretbox.Overhead {
		return nil, errors.New("the encrypted file is damaged: it is too short")
	}
	return b[:n], nil
}

// open decrypts what cutSealed returned.
func (k *fileKey) open(box []byte) ([]byte, error) {
	plain, ok := secretbox.Open(nil, box[nonceSize:], (*[nonceSize]byte)(box), (*[sha256.Size]byte)(k))
	if !ok {
		return nil, errWrongPassword
	}
	return plain, nil
}

// seal encrypts text into the form of a file.
func (k *fileKey) seal(text []byte) []byte {
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) // never fails: see crypto/rand
	box := secretbox.Seal(nonce[:], text, &nonce, (*[sha256.Size]byte)(k))
	b := []byte(encryptTitle + encryptMark + "\n")
	return base64.StdEncoding.AppendEncode(b, box)
}
