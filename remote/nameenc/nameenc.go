// Package nameenc writes names that a remote cannot hold with characters that it can, in the scheme
// of rclone: a character becomes one that looks like it (/ becomes ／, a control character its
// picture ␊), and a look-alike that is in the name already is marked with ‛ (U+201B) in front of
// it. So a tree that one of the two wrote reads back with the same names through the other.
package nameenc

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An Encoding says which characters a remote cannot hold. ‛ is encoded by every one but Raw. No
// name here has NUL in it, as those of rclone may: what stands for NUL, its picture ␀, stays as it
// is, and so does ‛␀, which is that picture itself there.
type Encoding uint64

// The parts of an Encoding. Left and Right mean the first and the last character of a name.
const (
	Slash         Encoding = 1 << iota // /
	LtGt                               // < and >
	DoubleQuote                        // "
	SingleQuote                        // '
	BackQuote                          // `
	Dollar                             // $
	Colon                              // :
	Question                           // ?
	Asterisk                           // *
	Pipe                               // |
	Hash                               // #
	Percent                            // %
	BackSlash                          // \
	Exclamation                        // !
	SquareBracket                      // [ and ]
	Semicolon                          // ;
	CrLf                               // carriage return and line feed
	Del                                // the control character 7F
	Ctl                                // the control characters 01 to 1F
	LeftSpace                          // a blank
	LeftPeriod                         // .
	LeftTilde                          // ~
	LeftCrLfHtVt                       // a line end or a tabulator
	RightSpace                         // a blank
	RightPeriod                        // .
	RightCrLfHtVt                      // a line end or a tabulator
	InvalidUtf8                        // bytes that are not UTF-8
	Dot                                // the names . and ..
	Raw                                // nothing at all, NUL included
)

const (
	quote     = '‛' // U+201B, marks what is meant literally
	pictures  = 0x2400
	space     = '␠' // U+2420, the picture of a blank
	deletion  = '␡' // U+2421, the picture of DEL
	fullWidth = 0xFEE0
	period    = '．' // the full width .
)

// Encode returns name as the remote can hold it. It is one element of a path.
func (e Encoding) Encode(name string) string {
	if e&Raw != 0 {
		return name
	}
	if e&Dot != 0 && (name == "." || name == "..") {
		return strings.Repeat(string(period), len(name))
	}
	likeDots := e&Dot != 0 && len(name) <= 2*len("．") && strings.Trim(name, ".．") == ""
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		at := place{first: i == 0, last: i+size == len(name)}
		switch substitute, ok := e.substitute(r, at); {
		case r == utf8.RuneError && size == 1 && e&InvalidUtf8 != 0:
			fmt.Fprintf(&b, "%c%02X", quote, name[i])
		case ok:
			b.WriteRune(substitute)
		case r == quote && strings.HasPrefix(name[i+size:], string(rune(pictures))):
			b.WriteRune(quote) // with what follows
		case r == quote || likeDots && r == period || e.original(r, at) >= 0:
			b.WriteRune(quote)
			b.WriteRune(r)
		default:
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Decode returns the name that Encode made encoded of. What Encode does not write stays as it is.
func (e Encoding) Decode(encoded string) string {
	if e&Raw != 0 {
		return encoded
	}
	if e&Dot != 0 && (encoded == "．" || encoded == "．．") {
		return strings.Repeat(".", len(encoded)/len("．"))
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(encoded); {
		r, size := utf8.DecodeRuneInString(encoded[i:])
		at := place{first: b.Len() == 0, last: i+size == len(encoded)}
		raw := encoded[i : i+size]
		i += size
		switch {
		case quoted:
			i += e.writeQuoted(&b, raw, encoded[i:])
			quoted = false
		case r == quote:
			quoted = true
		default:
			if o := e.original(r, at); o >= 0 {
				b.WriteRune(o)
			} else {
				b.WriteString(raw)
			}
		}
	}
	if quoted {
		b.WriteRune(quote)
	}
	return b.String()
}

// writeQuoted writes what a quote before char means; rest is what follows. It returns how much of
// rest it took.
func (e Encoding) writeQuoted(b *strings.Builder, char, rest string) int {
	r, _ := utf8.DecodeRuneInString(char)
	if r == quote || e&Dot != 0 && r == period || e.original(r, place{true, true}) >= 0 {
		b.WriteString(char)
		return 0
	}
	if e&InvalidUtf8 != 0 && len(rest) > 0 && len(char) == 1 {
		high, low := hexDigit(char[0]), hexDigit(rest[0])
		if high >= 8 && low >= 0 {
			b.WriteByte(byte(high<<4 | low))
			return 1
		}
	}
	b.WriteRune(quote)
	b.WriteString(char)
	return 0
}

// hexDigit returns the value of an upper case hexadecimal digit, or -1.
func hexDigit(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }

// UTF16Len returns how long a name is in UTF-16, in which many services count.
func UTF16Len(name string) int {
	n := 0
	for _, r := range name {
		n += utf16.RuneLen(r)
	}
	return n
}

// EncodePath encodes each element of a slash-separated path.
func (e Encoding) EncodePath(path string) string { return eachElement(path, e.Encode) }

// DecodePath decodes each element of a slash-separated path.
func (e Encoding) DecodePath(path string) string { return eachElement(path, e.Decode) }

func eachElement(path string, change func(string) string) string {
	elems := strings.Split(path, "/")
	for i, elem := range elems {
		elems[i] = change(elem)
	}
	return strings.Join(elems, "/")
}
