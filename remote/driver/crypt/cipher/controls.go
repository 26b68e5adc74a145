package cipher

import (
	"strings"
	"unicode/utf8"
)

// An encrypted name may hold pictures of control characters: base32768 has them among its digits,
// and obfuscation makes them. rclone takes such a picture for the character itself whenever it
// hands a name to a storage. So the name below has the character, and where the storage cannot hold
// that, the picture again, as for any name. Only NUL is in no name, and its picture stays.
const (
	pictures   = 0x2400
	del        = 0x7F
	delPicture = 0x2421
)

func isPicture(r rune) bool { return r > pictures && r < pictures+' ' || r == delPicture }

func isControl(r rune) bool { return toPicture(r) != r }

// toControl returns the control character that r is the picture of, or r.
func toControl(r rune) rune {
	switch {
	case r == delPicture:
		return del
	case isPicture(r):
		return r - pictures
	}
	return r
}

// toPicture is the inverse of toControl.
func toPicture(r rune) rune {
	switch {
	case r == del:
		return delPicture
	case r > 0 && r < ' ':
		return r + pictures
	}
	return r
}

// replaced changes the characters of a name. Bytes that are not UTF-8 stay.
func replaced(name string, by func(r rune) rune) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return by(r) != r }) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if changed := by(r); changed != r {
			b.WriteRune(changed)
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}
