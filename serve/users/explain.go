package users

import (
	"slices"
	"strings"
)

// A Value is what holds for a user, and where it was said.
type Value struct {
	Key  string // as in the file; of a part of a table with its name behind a dot
	Text string // without secrets
	From string // the table: users.bob, groups.cameras, defaults
	File string
	Line int
}

// Explain returns each value that is set for a user, in the order in which the keys are documented.
// Of what is set several times it returns the one that holds.
func (f *File) Explain(name string) ([]Value, bool) {
	own, ok := f.table(name)
	if !ok {
		return nil, false
	}
	places := newIndex(f.text)
	var values []Value
	note := func(layer *table, label, path, text string) {
		line, _ := places.position(path, true)
		values = append(values, Value{Key: label, Text: text, From: dotted(layer.path), File: f.name, Line: line})
	}
	layers := f.layers(own)
	for _, k := range f.keys.list {
		said := map[string]bool{} // parts that a table before said
		for _, layer := range layers {
			v, ok := layer.find(k.name)
			if !ok {
				continue
			}
			path := layer.path + separator + k.name
			if k.parts == nil {
				note(layer, k.name, path, k.show(v))
				break
			}
			parts := k.parts(v)
			for _, part := range parts {
				if !said[part.name] {
					note(layer, k.name+"."+tomlKey(part.name), path+separator+part.at, part.text)
				}
			}
			for _, part := range parts {
				said[part.name] = true
			}
		}
	}
	return values, true
}

// Warnings returns what is seldom meant: users who cannot log in, or with any password.
func (f *File) Warnings() []*Error {
	places := newIndex(f.text)
	var list []*Error
	for _, name := range f.Names() {
		own := f.users[name]
		u := f.effective(name, own)
		warn := func(text string) {
			line, column := places.position(own.path, true)
			list = append(list, &Error{File: f.name, Line: line, Column: column, Text: "user " + name + " " + text})
		}
		switch {
		case u.Auth == AuthNone:
			warn("logs in with any password (auth = \"none\")")
		case u.Auth == AuthHash && len(u.Passwords) == 0 && len(u.ClientCerts) == 0:
			warn("cannot log in: there is no password and no client_cert (ferry users passwd sets one)")
		}
		for _, p := range u.Passwords {
			if isWeak(p.Hash) {
				warn("has a password whose hash is quickly guessed: ferry users passwd makes a better one")
				break
			}
		}
	}
	return list
}

// isWeak reports whether a hash is of the days before hashes were slow on purpose.
func isWeak(hash string) bool {
	for _, prefix := range []string{"$1$", "$apr1$", "{SHA}"} {
		if strings.HasPrefix(hash, prefix) {
			return true
		}
	}
	return false
}

// Check is CheckValues and CheckHooks.
func (f *File) Check(visit func(key, text string) error) error {
	r := &reader{}
	f.visitValues(r, visit)
	f.lookAtHooks(r)
	return r.errors(f.name, f.text)
}

// CheckValues lets visit look at every remote ("remote"; mounts too) and at every value of
// OptionKeys that the file has, and returns what it objects to as mistakes of the file.
func (f *File) CheckValues(visit func(key, text string) error) error {
	r := &reader{}
	f.visitValues(r, visit)
	return r.errors(f.name, f.text)
}

func (f *File) visitValues(r *reader, visit func(key, text string) error) {
	all := []*table{f.defaults}
	for _, tables := range []map[string]*table{f.groups, f.users} {
		for _, t := range tables {
			all = append(all, t)
		}
	}
	for _, t := range all {
		for _, s := range t.settings {
			at := (&place{r: r}).along(t.path).at(s.key.name)
			switch v := s.value.(type) {
			case []Mount:
				for _, m := range v {
					object(at.at(m.Path), visit, "remote", m.Remote)
					for name, text := range m.Options {
						object(at.at(m.Path).at(name), visit, name, text)
					}
				}
			case string:
				object(at, visit, s.key.name, v)
			}
		}
	}
}

func object(at *place, visit func(key, text string) error, key, text string) {
	if key != "remote" && !slices.Contains(OptionKeys(), key) {
		return
	}
	if err := visit(key, text); err != nil {
		at.wrong("%v", err)
	}
}

// Keys returns all keys of a user, in the order in which they are shown.
func Keys() []string { return newKeySet().names(true) }
