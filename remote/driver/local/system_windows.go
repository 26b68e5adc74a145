package local

import (
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	caseInsensitive = true
	keepsModes      = false
	timePrecision   = 100 * time.Nanosecond
)

// holds reports whether the system can hold elem as a name. Backslashes would be separators, colons
// name streams, blanks and dots at the end are dropped silently, and names such as NUL are devices.
func holds(elem string) bool {
	if elem == "." {
		return true
	}
	for _, c := range elem {
		if c < ' ' || strings.ContainsRune(`<>:"/\|?*`, c) {
			return false
		}
	}
	last := elem[len(elem)-1]
	return last != ' ' && last != '.' && utf8.ValidString(elem) && filepath.IsLocal(elem)
}
