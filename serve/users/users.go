// Package users reads the file that says who may log in, what each of them sees, may do and may use
// up: TOML with [defaults], [groups.NAME] and [users.NAME].
//
// The files, in reading order:
//
//	user.go      User: what holds for somebody, put together from the file
//	users.go     Read and Parse; decode.go: TOML
//	keys.go      the table of keys; key.go: what a key is, value.go and parts.go: how values are read
//	hooks.go     [[hooks]]: who is told of what happens
//	table.go     one table of the file; effect.go: File, and how tables make a User
//	check.go     what must go together; errors.go and index.go: where a mistake stands
//	explain.go   where each value of a user comes from
//	watch.go     a file that changes
//	text.go      another file that may hold the tables of users
//	edit.go      changes that keep comments and order; setting.go: values from a command line
package users

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// maxFile bounds the size of a file: 10,000 users take about 2 MiB.
const maxFile = 64 << 20

// version is the one that a file may name.
const version = 1

// A Form says what else is in the file.
type Form int

// The forms.
const (
	Alone Form = iota // nothing
	Among             // other keys at its top, which are for somebody else to look at
)

// Read reads the file at path. The error is nil, or the mistakes of the file (see Errors), or says
// why it cannot be read.
func Read(path string) (*File, error) { return Alone.Read(path) }

// Read reads a file of that form.
func (form Form) Read(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stamp, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !stamp.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	f, err := form.parse(path, text)
	if err != nil {
		return nil, err
	}
	f.stamp = stamp
	return f, nil
}

var bom = []byte("\xef\xbb\xbf")

// Parse reads a text; name is what errors call it. A mistake of syntax is alone, all others come
// together.
func Parse(name string, text []byte) (*File, error) { return Alone.parse(name, text) }

func (form Form) parse(name string, text []byte) (*File, error) {
	if len(text) > maxFile {
		return nil, &Error{File: name, Text: fmt.Sprintf("it is larger than %d bytes, and no users file", maxFile)}
	}
	text = bytes.TrimPrefix(text, bom)
	raw, err := decode(text)
	if err != nil {
		return nil, notTOML(name, text, err)
	}
	r := &reader{}
	f := &File{name: name, text: text, keys: newKeySet()}
	values := raw.values
	if form == Among {
		values = ofUsers(values)
	}
	f.read(&place{r: r}, values)
	f.cross(r)
	if err := r.errors(name, text); err != nil {
		return nil, err
	}
	return f, nil
}

// notTOML returns a mistake of syntax.
func notTOML(name string, text []byte, err error) error {
	e := &Error{File: name, Text: "this is not TOML (https://toml.io): " + err.Error()}
	if at := (*syntaxError)(nil); errors.As(err, &at) {
		e.Line, e.Column = newIndex(text).lineOf(at.offset)
	}
	return e
}

// read reads the tables of the file.
func (f *File) read(p *place, raw map[string]any) {
	p.fields(raw, tables()...)
	if v, ok := raw["version"]; ok {
		if n, isNumber := of[int64](p.at("version"), v, "a whole number"); isNumber && n != version {
			p.at("version").wrong("this ferry reads version %d: get one that is newer", version)
		}
	}
	f.defaults = &table{}
	if v, ok := raw["defaults"]; ok {
		f.defaults = f.keys.read(p.at("defaults"), v, false)
	}
	f.groups = f.named(p.at("groups"), raw["groups"], false)
	f.users = f.named(p.at("users"), raw["users"], true)
	if v, ok := raw["hooks"]; ok {
		f.hooks = readHooks(p.at("hooks"), v)
	}
}

// named reads a table of tables: users, or groups.
func (f *File) named(p *place, raw any, own bool) map[string]*table {
	tables := map[string]*table{}
	if raw == nil {
		return tables
	}
	all, _ := p.table(raw)
	for name, one := range all {
		at := p.at(name)
		if err := CheckName(name); err != nil {
			at.wrongKey("%v", err)
			continue
		}
		if name == Anybody && !own {
			at.wrongKey(`no group can be called "*": what holds for everybody goes into [defaults]`)
			continue
		}
		tables[name] = f.keys.read(at, one, own)
	}
	return tables
}

// Changes returns the users that now differs in: those that are new, those whose sessions cannot go
// on (see Same), and those that are gone. Each is sorted.
func (f *File) Changes(now *File) (added, changed, removed []string) {
	for _, name := range now.Names() {
		was, ok := f.users[name]
		switch {
		case !ok:
			added = append(added, name)
		case !f.effective(name, was).Same(now.effective(name, now.users[name])):
			changed = append(changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.users)) {
		if _, ok := now.users[name]; !ok {
			removed = append(removed, name)
		}
	}
	return added, changed, removed
}
