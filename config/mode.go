package config

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

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
