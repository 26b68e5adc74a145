package events

import (
	"unicode"
	"unicode/utf8"
)

// AppendQuoted appends s as a JSON string in which nothing is that a terminal or an editor would
// obey: whatever does not print is escaped. Bytes that are not UTF-8, which JSON cannot say, are
// each replaced by U+FFFD.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0 // s up to there is in b
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); n > 1 && unicode.IsPrint(r) {
				i += n
				continue
			}
		}
		b = append(b, s[done:i]...)
		i += n
		done = i
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case r == utf8.RuneError && n == 1:
			b = append(b, "\ufffd"...)
		default:
			b = appendEscaped(b, r)
		}
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

// AppendQuotedList appends all as a JSON array of strings, each as AppendQuoted has it.
func AppendQuotedList(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendQuoted(b, s)
	}
	return append(b, ']')
}

// appendEscaped appends r as \uXXXX, twice where it takes two.
func appendEscaped(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	if r > 0xffff {
		r -= 0x10000
		return appendEscaped(appendEscaped(b, 0xd800|r>>10), 0xdc00|r&0x3ff)
	}
	return append(b, '\\', 'u', digits[r>>12], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
