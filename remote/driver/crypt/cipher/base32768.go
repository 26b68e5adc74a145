package cipher

import (
	"errors"
	"strings"
)

// wide writes 15 bits as one character of Unicode, the last up to 7 bits as one of other
// characters; what is missing to that is ones.
type wide struct {
	rows    []rune        // first characters of rows of 32: tailRows for 7 bits, then those for 15
	numbers map[rune]rune // first character -> its index in rows
}

const (
	rowBits  = 5
	rowMask  = 1<<rowBits - 1
	tailRows = 4
	longBits = 15
	tailBits = 7
)

// wideRows are the characters, which no system changes: first of a row, and how many rows of 32
// follow one another. (https://github.com/qntm/base32768 has the alphabet and the reasons.)
func wideRows() [][2]rune {
	return [][2]rune{
		{0x0180, 1}, {0x0240, 3}, {0x04a0, 1}, {0x0500, 1}, {0x0680, 2}, {0x0760, 2}, {0x07c0, 1}, {0x1000, 1}, {0x10a0, 1},
		{0x1100, 3}, {0x1180, 1}, {0x11e0, 3}, {0x1260, 1}, {0x12e0, 1}, {0x1320, 1}, {0x13a0, 2}, {0x1420, 18}, {0x16a0, 2},
		{0x1780, 1}, {0x1820, 2}, {0x18c0, 1}, {0x1980, 1}, {0x19e0, 1}, {0x1a20, 1}, {0x1bc0, 1}, {0x1c00, 1}, {0x1d00, 1},
		{0x21e0, 1}, {0x22c0, 1}, {0x2340, 5}, {0x2400, 1}, {0x2500, 19}, {0x2780, 2}, {0x2800, 12}, {0x29a0, 1}, {0x2a20, 2},
		{0x2a80, 2}, {0x2ae0, 4}, {0x2c00, 1}, {0x2c80, 3}, {0x2d00, 1}, {0x2d40, 1}, {0x2ea0, 2}, {0x31c0, 1}, {0x3400, 205},
		{0x4dc0, 656}, {0xa000, 36}, {0xa4a0, 1}, {0xa500, 8}, {0xa640, 1}, {0xa6a0, 2}, {0xa700, 3}, {0xa780, 1}, {0xa840, 1},
	}
}

func newWide() *wide {
	w := &wide{numbers: map[rune]rune{}}
	for _, r := range wideRows() {
		for i := range r[1] {
			first := r[0] + i<<rowBits
			w.numbers[first] = rune(len(w.rows))
			w.rows = append(w.rows, first)
		}
	}
	return w
}

func (w *wide) encode(b []byte) string {
	var s strings.Builder
	var held uint32 // bits that are not written yet
	bits := 0
	for _, c := range b {
		held = held<<8 | uint32(c)
		if bits += 8; bits >= longBits {
			bits -= longBits
			s.WriteRune(w.char(tailRows, held>>bits))
			held &= 1<<bits - 1
		}
	}
	switch {
	case bits > tailBits:
		s.WriteRune(w.char(tailRows, ones(held, longBits-bits)))
	case bits > 0:
		s.WriteRune(w.char(0, ones(held, tailBits-bits)))
	}
	return s.String()
}

// ones puts n ones behind x.
func ones(x uint32, n int) uint32 { return (x+1)<<n - 1 }

func (w *wide) char(row int, x uint32) rune { return w.rows[row+int(x>>rowBits)] | rune(x&rowMask) }

var errWide = errors.New("a character is none of base32768")

func (w *wide) decode(s string) ([]byte, error) {
	var b []byte
	var held uint32
	bits := 0
	for _, r := range s {
		row, ok := w.numbers[r&^rowMask]
		if !ok {
			return nil, errWide
		}
		value, n := uint32(row)<<rowBits|uint32(r&rowMask), tailBits
		if row >= tailRows {
			value, n = value-tailRows<<rowBits, longBits
		}
		held = held<<n | value
		for bits += n; bits >= 8; {
			bits -= 8
			b = append(b, byte(held>>bits))
		}
		held &= 1<<bits - 1
	}
	return b, nil
}

// width: most characters have three bytes, some two.
func (w *wide) width(int) int { return 0 }
