package ftp

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// hasGlob reports whether last, the last element of a path, can match other names than itself.
func hasGlob(last string) bool {
	return strings.ContainsAny(last, "*?[")
}

// splitGlob splits arg after its last slash: the directory to list, as it was typed and with the
// slash, and the pattern that its entries are matched against. NLST answers with dirPart in front
// of every name.
func splitGlob(arg string) (dirPart, pattern string) {
	i := strings.LastIndexByte(arg, '/') + 1
	return arg[:i], arg[i:]
}

const (
	maxPattern = 255     // characters in a pattern, stars not counted
	maxRanges  = 512     // characters and ranges in its classes
	maxMoves   = 4 << 10 // characters whose moves are cached
)

// errPatternTooLong refuses a pattern of more than maxPattern characters or maxRanges ranges.
var errPatternTooLong = errors.New("pattern too long")

// A pattern is compiled once and then matches many names. "*" stands for any text, "?" for one
// character, "[a-z]" for one out of a set, "[!a-z]" or "[^a-z]" for one that is not in it, and a
// backslash quotes the next character. A leading dot is not special: hidden files are always
// listed. A character is a rune, or a byte where the name is not UTF-8. An unclosed "[" is a
// literal.
//
// It is a nondeterministic automaton with one state for each character of the pattern and one for
// its end. Each character of a name advances all states at once, so the time for a name depends on
// its length only.
type pattern struct {
	last  int                   // the state in which a name matches
	stars states                // states with a self-loop: "*"
	wants []want                // what each state but the last accepts
	moves map[character]*states // states that advance on a character, cached
}

// states is a set of states.
type states [(maxPattern + 1 + 63) / 64]uint64

func (s *states) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *states) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// want is what a state accepts: a character in ranges, or outside of them.
type want struct {
	ranges  []charRange
	negated bool
}

type charRange struct{ low, high character }

func (w *want) takes(c character) bool {
	for _, r := range w.ranges {
		if r.low <= c && c <= r.high {
			return !w.negated
		}
	}
	return w.negated
}

// compile reads a pattern, in time that grows with its length. It fails with errPatternTooLong.
func compile(text string) (*pattern, error) {
	p := &pattern{moves: map[character]*states{}}
	ranges := 0
	open := true // false after an unclosed "[": none after it is closed either
	for len(text) > 0 {
		var w want
		size := 1
		switch {
		case text[0] == '*':
			p.stars.add(p.last)
			text = text[1:]
			continue
		case text[0] == '?':
			w.negated = true // any character
		default:
			if text[0] == '[' && open {
				w, size, open = readClass(text)
			}
			if text[0] != '[' || !open {
				var c character
				c, size = literal(text)
				w = want{ranges: []charRange{{c, c}}}
			}
		}
		if ranges += len(w.ranges); p.last >= maxPattern || ranges > maxRanges {
			return nil, errPatternTooLong
		}
		p.wants = append(p.wants, w)
		p.last++
		text = text[size:]
	}
	return p, nil
}

// readClass reads the class that text begins with. closed is false when that is no class.
func readClass(text string) (w want, size int, closed bool) {
	i := 1
	w.negated = i < len(text) && (text[i] == '!' || text[i] == '^')
	if w.negated {
		i++
	}
	for first := true; i < len(text); first = false {
		if text[i] == ']' && !first {
			return w, i + 1, true
		}
		low, size := literal(text[i:])
		i += size
		high := low
		if i+1 < len(text) && text[i] == '-' && text[i+1] != ']' {
			high, size = literal(text[i+1:])
			i += 1 + size
		}
		w.ranges = append(w.ranges, charRange{low, high})
	}
	return want{}, 0, false
}

// match reports whether name as a whole matches. It is for one goroutine at a time.
func (p *pattern) match(name string) bool {
	var now states
	now.add(0)
	for len(name) > 0 {
		c, size := decode(name)
		name = name[size:]
		moved, carry, left := p.movedBy(c), uint64(0), uint64(0)
		for i, s := range now {
			on := s & moved[i]
			now[i] = on<<1 | carry | s&p.stars[i]
			carry = on >> 63
			left |= now[i]
		}
		if left == 0 {
			return false
		}
	}
	return now.has(p.last)
}

// movedBy returns the states that advance on c.
func (p *pattern) movedBy(c character) *states {
	if m := p.moves[c]; m != nil {
		return m
	}
	var m states
	for i := range p.wants {
		if p.wants[i].takes(c) {
			m.add(i)
		}
	}
	if len(p.moves) < maxMoves {
		p.moves[c] = &m
	}
	return &m
}

// literal decodes the first character of pattern, after a backslash as a literal.
func literal(pattern string) (character, int) {
	if pattern[0] == '\\' && len(pattern) > 1 {
		c, size := decode(pattern[1:])
		return c, 1 + size
	}
	return decode(pattern)
}

// A character is a rune, or, above the last rune, a byte that is not UTF-8.
type character int32

// decode returns the first character of s, which is not empty.
func decode(s string) (character, int) {
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return utf8.MaxRune + 1 + character(s[0]), 1
	}
	return character(r), size
}
