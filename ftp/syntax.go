package ftp

import "errors"

// errSyntax is what the parsers of arguments return for an argument that does not follow its
// grammar: 501 (RFC 959, section 4.2).
var errSyntax = errors.New("syntax error in parameters or arguments")

// parseDecimal reads a number of 1*DIGIT that does not exceed limit: no sign, no space, no other
// base.
func parseDecimal(s string, limit int64) (int64, bool) {
	if s == "" {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 || d > limit || n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// isDigits reports whether s consists of decimal digits only; the empty string does.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isASCIILetter(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z'
}
