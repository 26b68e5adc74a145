package users

import (
	"cmp"
	"maps"
	"slices"
)

// tables are the keys of a file of users.
func tables() []string { return []string{"version", "defaults", "groups", "users", "hooks"} }

// isOfUsers reports whether a key at the top belongs to a file of users. Of its names, users can be
// another file, and hooks a section of flags.
func isOfUsers(name string, raw any) bool {
	_, isTable := raw.(*branch)
	switch name {
	case "users":
		return isTable
	case "hooks":
		return !isTable
	}
	return slices.Contains(tables(), name)
}

// ofUsers returns the keys at the top that belong to a file of users.
func ofUsers(values map[string]any) map[string]any {
	own := maps.Clone(values)
	maps.DeleteFunc(own, func(name string, raw any) bool { return !isOfUsers(name, raw) })
	return own
}

// A table is what one table of the file says of a user: [defaults], a group, or a user's own.
type table struct {
	path     string // see place.path
	settings []setting
}

// A setting is a key of a table with its value.
type setting struct {
	key   *key
	order int // of the key in keys
	value any
}

// find returns the value of a key.
func (t *table) find(name string) (any, bool) {
	for i := range t.settings {
		if t.settings[i].key.name == name {
			return t.settings[i].value, true
		}
	}
	return nil, false
}

// A keySet finds keys by name.
type keySet struct {
	list  []key
	byKey map[string]int
}

func newKeySet() *keySet {
	s := &keySet{list: keys(), byKey: map[string]int{}}
	for i, k := range s.list {
		s.byKey[k.name] = i
	}
	return s
}

// names returns the names of the keys of a table that is that of a user, or not.
func (s *keySet) names(own bool) []string {
	var names []string
	for _, k := range s.list {
		if own || !k.own {
			names = append(names, k.name)
		}
	}
	return names
}

// read reads a table, which is that of a user, or not.
func (s *keySet) read(p *place, raw any, own bool) *table {
	t := &table{path: p.path()}
	values, ok := p.table(raw)
	if !ok {
		return t
	}
	t.settings = make([]setting, 0, len(values))
	unknown := false
	for name, value := range values {
		i, known := s.byKey[name]
		switch {
		case !known:
			unknown = true
			continue
		case s.list[i].own && !own:
			p.at(name).wrongKey("%s is a key of users alone: put it into [users.NAME]", name)
			continue
		}
		k := &s.list[i]
		if v, ok := k.read(p.at(name), value); ok {
			t.settings = append(t.settings, setting{key: k, order: i, value: v})
		}
	}
	if unknown {
		known := maps.Clone(values)
		maps.DeleteFunc(known, func(name string, _ any) bool { _, ok := s.byKey[name]; return ok })
		p.fields(known, s.names(own)...)
	}
	slices.SortFunc(t.settings, func(a, b setting) int { return cmp.Compare(a.order, b.order) })
	return t
}
