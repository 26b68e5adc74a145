package ftp

import (
	"strings"
	"unicode/utf8"
)

// hasGlob reports whether last, the last element of a path, can match other names than itself.
func hasGlob(last string) bool {
	return strings.ContainsAny(last, "*?[")
}

// splitGlob splits arg behind its last slash: the directory to list, as it was typed and with the slash, and the
// pattern that its entries are matched against. NLST answers with dirPart in front of every name.
func splitGlob(arg string) (dirPart, pattern string) {
	i := strings.LastIndexByte(arg, '/') + 1
	return arg[:i], arg[i:]
}

// match reports whether name as a whole matches pattern. "*" stands for any text, "?" for one character, "[a-z]" for
// one out of a set, "[!a-z]" or "[^a-z]" for one that is not in it, and a backslash takes the meaning off the next
// character. A leading dot is nothing special: hidden files are always listed. A character is a rune, or a byte where
// the name is not UTF-8. A "[" that is never closed stands for itself.
//
// The cost is at most the product of the lengths: only the last star is ever tried again.
func match(pattern, name string) bool {
	p, n := 0, 0
	starP, starN := -1, 0 // behind the last star, and how far that star reaches
	for n < len(name) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			starP, starN = p, n
			continue
		}
		if p < len(pattern) && n < len(name) {
			if dp, dn, ok := matchOne(pattern[p:], name[n:]); ok {
				p, n = p+dp, n+dn
				continue
			}
		}
		if starP < 0 || starN >= len(name) {
			return false
		}
		_, size := decode(name[starN:])
		starN += size
		p, n = starP, starN
	}
	return true
}

// matchOne matches one character of name against the first thing in pattern, neither of which is empty, and returns
// how long both are.
func matchOne(pattern, name string) (patternLen, nameLen int, ok bool) {
	c, nameLen := decode(name)
	switch pattern[0] {
	case '?':
		return 1, nameLen, true
	case '[':
		if size, ok, closed := matchClass(pattern, c); closed {
			return size, nameLen, ok
		}
	}
	want, size := literal(pattern)
	return size, nameLen, want == c
}

// matchClass matches c against the class that pattern begins with. closed is false when that is no class.
func matchClass(pattern string, c character) (size int, ok, closed bool) {
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != negated, true
		}
		low, size := literal(pattern[i:])
		i += size
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, size = literal(pattern[i+1:])
			i += 1 + size
		}
		if low <= c && c <= high {
			ok = true
		}
	}
	return 0, false, false
}

// literal decodes the character that pattern begins with, one behind a backslash as itself.
func literal(pattern string) (character, int) {
	if pattern[0] == '\\' && len(pattern) > 1 {
		c, size := decode(pattern[1:])
		return c, 1 + size
	}
	return decode(pattern)
}

// A character is a rune, or behind the last rune one of the bytes that are not UTF-8.
type character int32

// decode returns the first character of s, which is not empty.
func decode(s string) (character, int) {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return utf8.MaxRune + 1 + character(s[0]), 1
	}
	return character(r), size
}
