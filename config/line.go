package config

import (
	"errors"
	"strings"
	"unicode"
)

// A lineKind says what a line of a configuration file is.
type lineKind uint8

const (
	lineBlank lineKind = iota
	lineComment
	lineHeader
	lineEntry
)

// A line is one line of a configuration file.
type line struct {
	raw     string // as it stands there, with its end
	kind    lineKind
	section string // what it belongs to; of a header its own name
	key     string // of an entry
	value   string // of an entry, neither quoted nor expanded
	valueAt int    // of an entry: where in raw the value begins
}

var errLine = errors.New("neither a [section], a comment nor key = value")

// parseLine reads one line without regard to those around it. Comments stand at the beginning of a
// line only: a # or a semicolon further on is part of the value.
func parseLine(raw string) (line, error) {
	s := strings.TrimSpace(raw)
	switch {
	case s == "":
		return line{raw: raw}, nil
	case s[0] == '#' || s[0] == ';':
		return line{raw: raw, kind: lineComment}, nil
	case s[0] == '[' && s[len(s)-1] == ']':
		return line{raw: raw, kind: lineHeader, section: strings.TrimSpace(s[1 : len(s)-1])}, nil
	}
	key, rest, ok := cutKey(s)
	if !ok {
		return line{}, errLine
	}
	text := strings.TrimSpace(rest)
	value, ok := unquoteValue(text)
	if !ok {
		return line{}, errors.New("the quote around the value is not closed")
	}
	at := len(strings.TrimRightFunc(raw, unicode.IsSpace)) - len(text)
	return line{raw: raw, kind: lineEntry, key: key, value: value, valueAt: at}, nil
}

// cutKey splits an entry at its first equals sign or colon. A key that holds one of them, or spaces
// at its ends, is quoted with ", three of them or a back-tick; what stands between the closing
// quote and the separator is dropped.
func cutKey(s string) (key, rest string, ok bool) {
	quote := ""
	switch {
	case len(s) >= 6 && strings.HasPrefix(s, `"""`):
		quote = `"""`
	case s[0] == '"' || s[0] == '`':
		quote = s[:1]
	}
	if quote != "" {
		s = s[len(quote):]
		end := strings.Index(s, quote)
		if end < 0 {
			return "", "", false
		}
		key, s = s[:end], s[end:]
	}
	sep := strings.IndexAny(s, "=:")
	if sep <= 0 {
		return "", "", false
	}
	if quote == "" {
		key = strings.TrimSpace(s[:sep])
	}
	return key, s[sep+1:], true
}

// unquoteValue takes off back-ticks or three double quotes, and what follows the last of them. One
// double quote is part of the value.
func unquoteValue(s string) (string, bool) {
	quote := ""
	switch {
	case len(s) >= 2 && s[0] == '`':
		quote = "`"
	case len(s) >= 6 && strings.HasPrefix(s, `"""`):
		quote = `"""`
	default:
		return s, true
	}
	s = s[len(quote):]
	end := strings.LastIndex(s, quote)
	if end < 0 {
		return "", false
	}
	return s[:end], true
}

// quoteValue returns what unquoteValue turns into v: v itself where that is possible, else v in
// back-ticks, of which the last one counts.
func quoteValue(v string) string {
	if plain, ok := unquoteValue(strings.TrimSpace(v)); ok && plain == v {
		return v
	}
	return "`" + v + "`"
}
