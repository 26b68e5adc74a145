package dircache

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// compareNames returns the order in which listings have their names: those that differ in case only
// follow each other where case does not count.
func (t *Tree) compareNames(a, b string) int {
	if t.spellings != nil {
		if n := compareFolded(a, b); n != 0 {
			return n
		}
	}
	return strings.Compare(a, b)
}

// compareFolded compares names without their case.
func compareFolded(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && (i < len(a) && !utf8.RuneStart(a[i]) || i < len(b) && !utf8.RuneStart(b[i])) {
		i--
	}
	a, b = a[i:], b[i:]
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if order := cmp.Compare(foldRune(x), foldRune(y)); order != 0 {
			return order
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

// foldName returns what all names have in common that differ in case only.
func foldName(name string) string { return strings.Map(foldRune, name) }

// foldRune returns the same for all letters that one remote or another takes for one.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}
