package dropbox

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// asciiOnly writes JSON so that it can be in a header.
func asciiOnly(text []byte) string {
	var b bytes.Buffer
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		text = text[n:]
		switch {
		case c < 0x7f:
			b.WriteRune(c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}
