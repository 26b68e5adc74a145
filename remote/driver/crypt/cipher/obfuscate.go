package cipher

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// quote stands before a character that is not rotated.
const quote = '!'

// obfuscate rotates the characters of a name by a distance that the name and the key make.
func (c *Cipher) obfuscate(plain string) string {
	if plain == "" {
		return ""
	}
	if !utf8.ValidString(plain) {
		return "!." + plain
	}
	sum := 0
	for _, r := range plain {
		sum += int(r)
	}
	sum %= 256
	var b strings.Builder
	b.WriteString(strconv.Itoa(sum))
	b.WriteByte('.')
	distance := sum + c.nameDistance()
	for _, r := range plain {
		from, size, by := ring(r, distance)
		switch {
		case r == quote:
			b.WriteString("!!")
		case size == 0:
			b.WriteRune(r)
		default:
			rotated := from.rune((from.position(r) + by) % size)
			if !utf8.ValidRune(rotated) {
				b.WriteRune(quote)
				rotated = r
			}
			b.WriteRune(rotated)
		}
	}
	return b.String()
}

// reveal is the inverse of obfuscate.
func (c *Cipher) reveal(name string) (string, error) {
	head, rest, ok := strings.Cut(name, ".")
	if !ok {
		return "", ErrNotEncrypted
	}
	plain := rest
	if head != "!" {
		sum, err := strconv.Atoi(head)
		if err != nil || sum < 0 || sum > 255 {
			return "", ErrNotEncrypted
		}
		plain = rotateBack(rest, sum+c.nameDistance())
	}
	if c.obfuscate(plain) != name { // it would not be found again
		return "", ErrNotEncrypted
	}
	return plain, nil
}

func rotateBack(name string, distance int) string {
	var b strings.Builder
	quoted := false
	for _, r := range name {
		from, size, by := ring(r, distance)
		switch {
		case quoted:
			b.WriteRune(r)
			quoted = false
		case r == quote:
			quoted = true
		case size == 0:
			b.WriteRune(r)
		default:
			b.WriteRune(from.rune((from.position(r) + size - by) % size))
		}
	}
	return b.String()
}

// nameDistance is what the key adds to the distance.
func (c *Cipher) nameDistance() int {
	sum := 0
	for _, b := range c.keys.Name {
		sum += int(b)
	}
	return sum
}

// ring returns the characters among which r is rotated, how many there are, and by how much; no
// characters when r stays.
func ring(r rune, distance int) (from ringStart, size, by int) {
	switch {
	case r >= '0' && r <= '9':
		return '0', 10, distance%9 + 1
	case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
		return 'A', 52, distance%25 + 1
	case r >= 0xA0 && r <= 0xFF:
		return 0xA0, 96, distance%95 + 1
	case r >= 0x100:
		return ringStart(r &^ 0xFF), 256, distance%127 + 1
	}
	return 0, 0, 0
}

// A ringStart is the first character of a ring. Between Z and a, six are left out.
type ringStart rune

const leftOut = 'a' - 'Z' - 1

func (s ringStart) position(r rune) int {
	if s == 'A' && r >= 'a' {
		r -= leftOut
	}
	return int(r) - int(s)
}

func (s ringStart) rune(position int) rune {
	if s == 'A' && position >= 26 {
		position += leftOut
	}
	return rune(int(s) + position)
}
