package notice

import "strings"

// Newer reports whether a is newer than b, which are the Order of two notices of one key: the
// shorter one is filled with zeros at its end, as S3 wants it. Nothing is newer than what cannot be
// compared.
func Newer(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	width := max(len(a), len(b))
	return pad(a, width) > pad(b, width)
}

func pad(s string, width int) string { return s + strings.Repeat("0", width-len(s)) }

// maxOrder bounds what is kept of a number that somebody sends.
const maxOrder = 64

// hexOrder reads a number in hexadecimal; "" where it is none.
func hexOrder(s string) string {
	s = strings.ToUpper(s)
	if len(s) > maxOrder || strings.Trim(s, "0123456789ABCDEF") != "" {
		return ""
	}
	return s
}

// numberOrder makes a decimal number comparable.
func numberOrder(s string) string {
	const width = 20 // as many digits as 64 bits have
	if s == "" || len(s) > width || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return strings.Repeat("0", width-len(s)) + s
}
