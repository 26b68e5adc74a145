package config

import (
	"errors"
	"strings"
	"unicode"
)

// A lineKind is the kind of a line of a configuration file.
type lineKind uint8

const (
	lineBlank lineKind = iota
	lineComment
	lineHeader
	lineEntry
)

// A line is one line of a configuration file.
type line struct {
	raw     string // unchanged, with its line end
	kind    lineKind
	section string // its section; of a header its own name
	key     string // of an entry
	value   string // of an entry, neither quoted nor expanded
	valueAt int    // of an entry: offset of the value in raw
}

var errLine = errors.New("neither a [section], a comment nor key = value")

// parseLine parses one line independently of others. A comment begins at the start of a line: a #
// or a semicolon further on is part of the value.
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
// at its ends, is quoted with ", three of them or a back-tick; text between the closing quote and
// the separator is dropped.
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

// unquoteValue removes back-ticks or three double quotes, and the text after the last of them. A
// single double quote is part of the value.
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

// quoteValue is the inverse of unquoteValue: it returns v itself if possible, else v in back-ticks.
func quoteValue(v string) string {
	if plain, ok := unquoteValue(strings.TrimSpace(v)); ok && plain == v {
		return v
	}
	return "`" + v + "`"
}
