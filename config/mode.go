package config

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// CacheMode says what is kept on local disk.
type CacheMode uint8

const (
	CacheOff     CacheMode = iota // nothing: everything is streamed
	CacheMinimal                  // uploads that the remote cannot take in one piece
	CacheWrites                   // every upload
	CacheFull                     // uploads and what is read
)

var cacheModes = []string{"off", "minimal", "writes", "full"}

// ParseCacheMode reads off, minimal, writes or full, in any case.
func ParseCacheMode(s string) (CacheMode, error) {
	for i, name := range cacheModes {
		if strings.EqualFold(s, name) {
			return CacheMode(i), nil
		}
	}
	return 0, errors.New("not a cache mode: use " + strings.Join(cacheModes, ", "))
}

func (m CacheMode) String() string { return cacheModes[m] }

// ParseFileMode reads permission bits, always in octal: 755 and 0755 are the same.
func ParseFileMode(s string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o777 {
		return 0, errors.New("not permission bits: use octal digits from 0000 to 0777")
	}
	return fs.FileMode(n), nil
}

// FormatFileMode returns the four octal digits of m's permission bits.
func FormatFileMode(m fs.FileMode) string {
	digits := strconv.FormatUint(uint64(m.Perm()), 8)
	return strings.Repeat("0", 4-len(digits)) + digits
}
