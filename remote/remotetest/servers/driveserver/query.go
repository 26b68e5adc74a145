package driveserver

import (
	"errors"
	"strings"
)

// A predicate is a query.
type predicate func(s *Server, i *item) bool

// A parser reads a query: comparisons, and, or, not, and parentheses.
type parser struct {
	tokens  []string // strings begin with '
	parents []string // ids of folders that the query names
}

var errQuery = errors.New("invalid")

// parseQuery reads a query, and finds the folders that it names.
func parseQuery(q string) (is predicate, parents []string, err error) {
	if q == "" {
		return func(*Server, *item) bool { return true }, nil, nil
	}
	tokens, err := scan(q)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{tokens: tokens}
	is, err = p.either()
	if err == nil && len(p.tokens) > 0 {
		err = errQuery
	}
	return is, p.parents, err
}

// scan divides a query. In a string \ makes the next character mean itself.
func scan(q string) (tokens []string, err error) {
	for i := 0; i < len(q); {
		switch c := q[i]; {
		case c == ' ':
			i++
		case c == '(' || c == ')' || c == '=':
			tokens = append(tokens, string(c))
			i++
		case strings.HasPrefix(q[i:], "!="):
			tokens = append(tokens, "!=")
			i += 2
		case c == '\'':
			var b strings.Builder
			b.WriteByte('\'')
			for i++; i < len(q) && q[i] != '\''; i++ {
				if q[i] == '\\' {
					if i++; i == len(q) || q[i] != '\\' && q[i] != '\'' {
						return nil, errQuery
					}
				}
				b.WriteByte(q[i])
			}
			if i == len(q) {
				return nil, errQuery
			}
			i++
			tokens = append(tokens, b.String())
		default:
			end := i
			for end < len(q) && (q[end] >= 'a' && q[end] <= 'z' || q[end] >= 'A' && q[end] <= 'Z') {
				end++
			}
			if end == i {
				return nil, errQuery
			}
			tokens = append(tokens, q[i:end])
			i = end
		}
	}
	return tokens, nil
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

// is takes a token if it is the next one.
func (p *parser) is(token string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != token {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// either reads what is joined by or.
func (p *parser) either() (predicate, error) {
	left, err := p.both()
	for err == nil && p.is("or") {
		var right predicate
		one := left
		if right, err = p.both(); err == nil {
			left = func(s *Server, i *item) bool { return one(s, i) || right(s, i) }
		}
	}
	return left, err
}

// both reads what is joined by and.
func (p *parser) both() (predicate, error) {
	left, err := p.single()
	for err == nil && p.is("and") {
		var right predicate
		one := left
		if right, err = p.single(); err == nil {
			left = func(s *Server, i *item) bool { return one(s, i) && right(s, i) }
		}
	}
	return left, err
}

func (p *parser) single() (predicate, error) {
	switch {
	case p.is("not"):
		inner, err := p.single()
		return func(s *Server, i *item) bool { return !inner(s, i) }, err
	case p.is("("):
		inner, err := p.either()
		if err == nil && !p.is(")") {
			err = errQuery
		}
		return inner, err
	}
	return p.comparison()
}

func (p *parser) comparison() (predicate, error) {
	term, operator, value := p.next(), p.next(), p.next()
	id, isString := strings.CutPrefix(term, "'")
	text, valueIsString := strings.CutPrefix(value, "'")
	switch {
	case isString && operator == "in" && value == "parents":
		p.parents = append(p.parents, id)
		return func(s *Server, i *item) bool { return i.parent == id || id == "root" && i.parent == s.Root }, nil
	case (term == "trashed" || term == "sharedWithMe") && operator == "=" && (value == "true" || value == "false"):
		return func(s *Server, i *item) bool {
			if term == "trashed" {
				return s.isTrashed(i) == (value == "true")
			}
			return i.shared == (value == "true")
		}, nil
	case !valueIsString || term != "name" && term != "mimeType":
		return nil, errQuery
	}
	of := func(i *item) string {
		if term == "name" {
			return i.name
		}
		return i.mime
	}
	switch operator {
	case "=":
		return func(_ *Server, i *item) bool { return strings.EqualFold(of(i), text) }, nil
	case "!=":
		return func(_ *Server, i *item) bool { return !strings.EqualFold(of(i), text) }, nil
	case "contains":
		return func(_ *Server, i *item) bool { return strings.Contains(of(i), text) }, nil
	}
	return nil, errQuery
}
