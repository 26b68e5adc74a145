package users

import (
	"bytes"
	"fmt"
)

// A Text is another file that is written and read as a file of users is, whose tables may be among
// its own. Mistakes in either come together.
type Text struct {
	name   string
	text   []byte
	values map[string]any
	r      reader
}

// ParseText reads a text; name is what errors call it. The error is a mistake of syntax: all others
// are noted by Wrong and WrongKey, and Err returns them.
func ParseText(name string, text []byte) (*Text, error) {
	if len(text) > maxFile {
		return nil, &Error{File: name, Text: fmt.Sprintf("it is larger than %d bytes, and no configuration", maxFile)}
	}
	text = bytes.TrimPrefix(text, bom)
	raw, err := decode(text)
	if err != nil {
		return nil, notTOML(name, text, err)
	}
	return &Text{name: name, text: text, values: raw.values}, nil
}

// Values returns the keys of the file outside of the tables of users. Tables are map[string]any,
// arrays of tables []map[string]any; all else is as go-toml has it.
func (t *Text) Values() map[string]any {
	all := map[string]any{}
	for name, raw := range t.values {
		if !isOfUsers(name, raw) {
			all[name] = plainValue(raw)
		}
	}
	return all
}

func plainValue(raw any) any {
	switch raw := raw.(type) {
	case *branch:
		table := map[string]any{}
		for name, v := range raw.values {
			table[name] = plainValue(v)
		}
		return table
	case *branches:
		list := make([]map[string]any, 0, len(raw.list))
		for _, v := range raw.list {
			list = append(list, plainValue(v).(map[string]any))
		}
		return list
	case []any:
		list := make([]any, 0, len(raw))
		for _, v := range raw {
			list = append(list, plainValue(v))
		}
		return list
	}
	return raw
}

// HasUsers reports whether there are tables of users.
func (t *Text) HasUsers() bool {
	_, is := t.values["users"].(*branch)
	return is
}

// Has reports whether the file has a key at its top.
func (t *Text) Has(name string) bool {
	_, has := t.values[name]
	return has
}

// Users reads the tables of users as Parse does, and notes what is wrong with them.
func (t *Text) Users() *File {
	f := &File{name: t.name, text: t.text, keys: newKeySet()}
	f.read(&place{r: &t.r}, ofUsers(t.values))
	f.cross(&t.r)
	return f
}

// Wrong notes that the value of the key with these names, from the outermost one, is not right.
func (t *Text) Wrong(key []string, format string, args ...any) {
	t.note(key, false, fmt.Sprintf(format, args...))
}

// WrongKey notes that the key should not be there.
func (t *Text) WrongKey(key []string, format string, args ...any) {
	t.note(key, true, fmt.Sprintf(format, args...))
}

func (t *Text) note(key []string, atKey bool, text string) {
	t.r.mistakes = append(t.r.mistakes, mistake{path: pathOf(key), atKey: atKey, text: text})
}

func pathOf(key []string) string {
	path := ""
	for _, name := range key {
		path += separator + name
	}
	return path
}

// Lines returns a function that tells in which line a key stands.
func (t *Text) Lines() func(key ...string) int {
	places := newIndex(t.text)
	return func(key ...string) int {
		line, _ := places.position(pathOf(key), true)
		return line
	}
}

// Err returns what was noted, in the order of the file (see Errors).
func (t *Text) Err() error { return t.r.errors(t.name, t.text) }

// KindOf says what a value of a file is, for people.
func KindOf(raw any) string {
	switch raw.(type) {
	case map[string]any:
		return kindOf(&branch{})
	case []map[string]any:
		return kindOf(&branches{})
	}
	return kindOf(raw)
}
