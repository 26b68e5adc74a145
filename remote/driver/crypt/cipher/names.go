package cipher

import (
	"bytes"
	"strings"

	"github.com/rfjakob/eme"
)

const (
	nameBlock = 16
	// maxName is what the cipher of names takes, in bytes.
	maxName = 128 * nameBlock
)

// FileName returns the encrypted name of a file: one element of a path.
func (c *Cipher) FileName(plain string) (string, error) {
	if c.o.Names == Off {
		return plain + c.suffix, nil
	}
	unversioned, version := cutVersion(plain)
	if unversioned == "" && version != "" { // rclone leaves a version by itself as it is
		return plain, nil
	}
	name, err := c.encrypt(unversioned)
	return addVersion(name, version), err
}

// DirName returns the encrypted name of a directory: one element of a path.
func (c *Cipher) DirName(plain string) (string, error) {
	if c.plainDirs() {
		return plain, nil
	}
	return c.encrypt(plain)
}

func (c *Cipher) plainDirs() bool { return c.o.Names == Off || c.o.PlainDirs }

// PlainFile is the inverse of FileName. A name that FileName never returns is ErrNotEncrypted.
func (c *Cipher) PlainFile(name string) (string, error) {
	if c.o.Names == Off {
		plain, ok := strings.CutSuffix(name, c.suffix)
		if unversioned, _ := cutVersion(plain); !ok || plain == "" || unversioned == "" {
			return "", ErrNotEncrypted
		}
		return plain, nil
	}
	unversioned, version := cutVersion(name)
	if unversioned == "" && version != "" {
		return name, nil
	}
	plain, err := c.decrypt(unversioned)
	return addVersion(plain, version), err
}

// PlainDir is the inverse of DirName. A name that DirName never returns is ErrNotEncrypted.
func (c *Cipher) PlainDir(name string) (string, error) {
	if c.plainDirs() {
		return name, nil
	}
	return c.decrypt(name)
}

func (c *Cipher) encrypt(plain string) (string, error) {
	if c.o.Names == Obfuscate {
		if strings.ContainsFunc(plain, isControl) {
			return "", ErrControl
		}
		return replaced(c.obfuscate(plain), toControl), nil
	}
	if len(plain) >= maxName {
		return "", ErrTooLong
	}
	pad := nameBlock - len(plain)%nameBlock
	padded := append([]byte(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	return replaced(c.encoding.encode(eme.New(c.name).Encrypt(c.keys.Tweak[:], padded)), toControl), nil
}

func (c *Cipher) decrypt(name string) (string, error) {
	if strings.ContainsFunc(name, isPicture) {
		return "", ErrNotEncrypted // it would not be found again
	}
	name = replaced(name, toPicture)
	if c.o.Names == Obfuscate {
		return c.reveal(name)
	}
	b, err := c.encoding.decode(name)
	if err != nil || len(b) == 0 || len(b)%nameBlock != 0 || len(b) > maxName {
		return "", ErrNotEncrypted
	}
	// What is not written as encode writes it would not be found again.
	if exact := c.encoding.encode(b); exact != name && !(c.o.FoldCase && strings.EqualFold(exact, name)) {
		return "", ErrNotEncrypted
	}
	b = eme.New(c.name).Decrypt(c.keys.Tweak[:], b)
	pad := int(b[len(b)-1])
	if pad < 1 || pad > nameBlock || !bytes.HasSuffix(b, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return "", ErrNotEncrypted
	}
	return string(b[:len(b)-pad]), nil
}

// MaxName returns the longest name, in bytes, whose encrypted form has at most limit bytes, where
// that follows from its length alone; 0 where it does not. limit 0 is none.
func (c *Cipher) MaxName(limit int) int {
	switch {
	case c.o.Names == Off && limit == 0:
		return 0
	case c.o.Names == Off:
		return max(1, limit-len(c.suffix))
	case c.o.Names == Obfuscate:
		return 0
	}
	longest := maxName - 1
	if limit == 0 {
		return longest
	}
	width := c.encoding.width
	if width(nameBlock) == 0 {
		return 0
	}
	for longest > nameBlock-1 && width(longest+1) > limit {
		longest -= nameBlock
	}
	return longest
}
