// Package cipher is the format in which rclone's crypt keeps files, bit for bit: how names are
// written, and what a file consists of. It does no I/O.
//
// A file is a header, which holds a random nonce, and blocks of up to BlockData bytes, each sealed
// by NaCl's secretbox under the nonce counted up by its number. Whoever holds two contents that
// were sealed under one nonce has the difference of the two: a nonce is for one content.
//
//	cipher.go     a Cipher: names and blocks under one set of keys
//	names.go      names of files and directories
//	obfuscate.go  names that are only obfuscated; version.go: times that are left out of names
//	controls.go   pictures of control characters in encrypted names
//	encoding.go   bytes as characters; base32768.go: 15 bits in a character
//	block.go      sealed blocks, headers, nonces; salsa_*, poly_*: what they are made of
//	size.go       lengths of files
//	keys.go       keys made of passwords
package cipher

import (
	"crypto/aes"
	stdcipher "crypto/cipher"
	"errors"
	"fmt"
	"strings"
)

// ErrNotEncrypted means that a name or a file was not written by crypt with these keys and options,
// or was changed since.
var ErrNotEncrypted = errors.New("it is not encrypted with this password and these options, or was changed")

// ErrControl means that a name has a control character, which an obfuscated name cannot keep: there
// it stands for its picture.
var ErrControl = errors.New("an obfuscated name cannot have a control character in it")

// ErrTooLong means that a name is too long to be encrypted.
var ErrTooLong = errors.New("the name is too long to be encrypted")

// The ways in which names are kept, as the option filename_encryption calls them.
const (
	Standard  = "standard"  // encrypted
	Obfuscate = "obfuscate" // characters are rotated; this hides nothing from those who try
	Off       = "off"       // as they are, those of files with a suffix
)

// Options say how names are kept. Empty ones are the defaults of rclone.
type Options struct {
	Names     string // Standard, Obfuscate or Off
	PlainDirs bool   // names of directories are as they are
	Encoding  string // of encrypted names: base32, base64 or base32768
	Suffix    string // of files whose names are as they are; "none" = no suffix; a missing dot is added
	// FoldCase accepts encrypted names in another case, for a store that may change it. Only base32
	// can be read so.
	FoldCase bool
}

// A Cipher encrypts names and blocks under one set of keys. It may be used concurrently.
type Cipher struct {
	o        Options
	suffix   string
	keys     Keys
	name     stdcipher.Block
	encoding encoding
}

// New returns a cipher. A value that does not exist is an error that lists those that do.
func New(k Keys, o Options) (*Cipher, error) {
	c := &Cipher{o: o, keys: k, suffix: o.Suffix}
	switch o.Names {
	case "":
		c.o.Names = Standard
	case Standard, Obfuscate, Off:
	default:
		return nil, fmt.Errorf("filename_encryption %q: it is one of standard, obfuscate, off", o.Names)
	}
	switch strings.ToLower(o.Encoding) {
	case "", "base32":
		c.encoding = newHex32()
	case "base64":
		c.encoding = url64{}
	case "base32768":
		c.encoding = newWide()
	default:
		return nil, fmt.Errorf("filename_encoding %q: it is one of base32, base64, base32768", o.Encoding)
	}
	switch {
	case o.Suffix == "":
		c.suffix = ".bin"
	case strings.EqualFold(o.Suffix, "none"):
		c.suffix = ""
	case !strings.HasPrefix(o.Suffix, "."):
		c.suffix = "." + o.Suffix
	}
	if strings.ContainsAny(c.suffix, "/\x00") {
		return nil, errors.New("suffix: it cannot be part of a name")
	}
	var err error
	c.name, err = aes.NewCipher(k.Name[:])
	return c, err
}

// SameNames reports whether a file and a directory of one name have one encrypted name.
func (c *Cipher) SameNames() bool {
	if c.o.Names == Off {
		return c.suffix == ""
	}
	return !c.o.PlainDirs
}

// Folds reports whether names that differ only in case are one name where the store takes them for
// one.
func (c *Cipher) Folds() bool { return c.o.Names == Off || c.o.PlainDirs }
