package filter

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// compile returns the regular expression that means what pattern means. It is matched with a path
// that has no slash in front, and one behind if it is that of a directory.
//
// A pattern that begins with a slash is for the whole path, any other for its end, from the
// beginning of an element on.
func compile(pattern string, ignoreCase bool) (*regexp.Regexp, error) {
	g := glob{}
	rest, rooted := strings.CutPrefix(pattern, "/")
	if err := g.translate(rest); err != nil {
		return nil, err
	}
	begin, flags := "(?:^|/)", "(?s)"
	if rooted {
		begin = "^"
	}
	if ignoreCase {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + begin + g.out.String() + "$")
	if err != nil {
		return nil, err
	}
	return re, nil
}

// glob turns a pattern into a regular expression.
type glob struct {
	out    strings.Builder
	braces bool // inside of {a,b}
}

func (g *glob) translate(in string) error {
	for in != "" {
		n, err := g.next(in)
		if err != nil {
			return err
		}
		in = in[n:]
	}
	if g.braces {
		return errors.New("a { without its }")
	}
	return nil
}

// next translates what in begins with, and returns how long that is.
func (g *glob) next(in string) (int, error) {
	switch in[0] {
	case '*':
		return g.stars(in)
	case '?':
		g.out.WriteString("[^/]")
	case '\\':
		return g.escaped(in)
	case '[':
		return g.class(in)
	case ']':
		return 0, errors.New("a ] without its [")
	case '{':
		if strings.HasPrefix(in, "{{") {
			return g.expression(in)
		}
		if g.braces {
			return 0, errors.New("a { within { }")
		}
		g.braces = true
		g.out.WriteString("(?:")
	case '}':
		if !g.braces {
			return 0, errors.New("a } without its {")
		}
		g.braces = false
		g.out.WriteByte(')')
	case ',':
		if g.braces {
			g.out.WriteByte('|')
		} else {
			g.out.WriteByte(',')
		}
	default:
		_, n := utf8.DecodeRuneInString(in)
		g.out.WriteString(regexp.QuoteMeta(in[:n]))
		return n, nil
	}
	return 1, nil
}

func (g *glob) stars(in string) (int, error) {
	n := len(in) - len(strings.TrimLeft(in, "*"))
	switch n {
	case 1:
		g.out.WriteString("[^/]*")
	case 2:
		g.out.WriteString(".*")
	default:
		return 0, errors.New("more than two * in a row")
	}
	return n, nil
}

// escaped translates a backslash and what is behind it: a character as itself, or a class such as
// \d.
func (g *glob) escaped(in string) (int, error) {
	if len(in) == 1 {
		return 0, errors.New(`a \ at the end`)
	}
	if in[1] < utf8.RuneSelf {
		g.out.WriteString(in[:2])
		return 2, nil
	}
	_, n := utf8.DecodeRuneInString(in[1:])
	g.out.WriteString(in[1 : 1+n])
	return 1 + n, nil
}

// class translates [a-z], [!a-z], [^a-z] and what regular expressions know besides inside of
// brackets.
func (g *glob) class(in string) (int, error) {
	i := 1
	g.out.WriteByte('[')
	if strings.HasPrefix(in[i:], "!") || strings.HasPrefix(in[i:], "^") {
		g.out.WriteByte('^')
		i++
	}
	begin := i
	for depth := 1; i < len(in); i++ {
		switch in[i] {
		case '\\':
			i++
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		if i == begin {
			return 0, errors.New("nothing within [ ]")
		}
		g.out.WriteString(in[begin : i+1])
		return i + 1, nil
	}
	return 0, errors.New("a [ without its ]")
}

// expression translates {{...}}, which holds a regular expression.
func (g *glob) expression(in string) (int, error) {
	end := strings.Index(in, "}}")
	if end < 0 {
		return 0, errors.New("a {{ without its }}")
	}
	for strings.HasPrefix(in[end+1:], "}}") { // a } of the expression stands in front of }}
		end++
	}
	text := in[2:end]
	if _, err := regexp.Compile(text); err != nil {
		return 0, fmt.Errorf("within {{ }}: %w", err)
	}
	g.out.WriteString("(?:" + text + ")")
	return end + 2, nil
}
