package users

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Error is a mistake in a users file. Line and Column count from 1 and, as most editors do, in
// bytes; they are 0 where the mistake has no place in the file. Text says what to do, and holds no
// secret.
type Error struct {
	File         string
	Line, Column int
	Text         string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Errors returns the mistakes that err consists of, nil where it is something else.
func Errors(err error) []*Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*Error
		for _, one := range joined.Unwrap() {
			list = append(list, Errors(one)...)
		}
		return list
	}
	if one := (*Error)(nil); errors.As(err, &one) {
		return []*Error{one}
	}
	return nil
}

// maxErrors bounds what is said of one file.
const maxErrors = 100

// A mistake is what is wrong with a value, or with a key.
type mistake struct {
	path  string // of the key, see place.path
	atKey bool
	text  string
}

// A reader collects mistakes.
type reader struct {
	mistakes []mistake
}

// errors returns the mistakes in the order of the file, nil without any.
func (r *reader) errors(name string, text []byte) error {
	if len(r.mistakes) == 0 {
		return nil
	}
	places := newIndex(text)
	list := make([]*Error, 0, len(r.mistakes))
	for _, m := range r.mistakes {
		e := &Error{File: name, Text: m.text}
		e.Line, e.Column = places.position(m.path, m.atKey)
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return joinErrors(name, list)
}

func joinErrors(name string, list []*Error) error {
	var all []error
	for i, e := range list {
		if i == maxErrors {
			all = append(all, &Error{File: name, Text: fmt.Sprintf("and %d more mistakes", len(list)-i)})
			break
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// A place is where a value stands: a key in a table, or an element of an array, which has its index
// for a name.
type place struct {
	r    *reader
	up   *place // nil for the whole file
	name string
}

func (p *place) at(name string) *place { return &place{r: p.r, up: p, name: name} }

// path returns the names from the outermost to this one, each after a NUL, which no name holds.
func (p *place) path() string {
	if p.up == nil {
		return ""
	}
	return p.up.path() + separator + p.name
}

const separator = "\x00"

// dotted returns a path as TOML writes it.
func dotted(path string) string {
	names := strings.Split(strings.TrimPrefix(path, separator), separator)
	for i, name := range names {
		names[i] = tomlKey(name)
	}
	return strings.Join(names, ".")
}

// wrong notes a mistake in the value.
func (p *place) wrong(format string, args ...any) {
	p.r.mistakes = append(p.r.mistakes, mistake{path: p.path(), text: p.label() + fmt.Sprintf(format, args...)})
}

// wrongKey notes that the key itself should not be there.
func (p *place) wrongKey(format string, args ...any) {
	p.r.mistakes = append(p.r.mistakes, mistake{path: p.path(), atKey: true, text: fmt.Sprintf(format, args...)})
}

// label names the key that a value belongs to.
func (p *place) label() string {
	names := p.path()
	if parts := strings.SplitN(names, separator, 4); len(parts) == 4 && (parts[1] == "users" || parts[1] == "groups") {
		names = parts[3]
	}
	return dotted(names) + ": "
}
