package users

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"ferry/hooks/settings"
	"ferry/serve/access"
)

// A File is a users file as it was read. It does not change, and may be used by several goroutines.
type File struct {
	name  string
	text  []byte
	stamp fs.FileInfo // nil if it was not read from a disk

	keys     *keySet
	defaults *table
	groups   map[string]*table
	users    map[string]*table
	hooks    []settings.Hook
}

// Name returns the name of the file.
func (f *File) Name() string { return f.name }

// Names returns the users that have a table, sorted; Anybody is one of them.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.users)) }

// table returns the table of a user: the own one, else that of Anybody.
func (f *File) table(name string) (*table, bool) {
	t, ok := f.users[name]
	if !ok && CheckName(name) == nil {
		t, ok = f.users[Anybody]
	}
	return t, ok
}

// layers returns the tables that say something of a user, those that go before others first.
func (f *File) layers(own *table) []*table {
	layers := []*table{own}
	if groups, ok := own.find("groups"); ok {
		for _, name := range groups.([]string) {
			if g, known := f.groups[name]; known {
				layers = append(layers, g)
			}
		}
	}
	return append(layers, f.defaults)
}

// User returns what holds for a user: the first that sets a key of the user, its groups from left
// to right, and the defaults. Permissions, patterns and mounts are taken path by path.
func (f *File) User(name string) (User, bool) {
	own, ok := f.table(name)
	if !ok || name == Anybody {
		return User{}, false
	}
	return f.effective(name, own), true
}

func (f *File) effective(name string, own *table) User {
	d := &draft{zone: time.Local}
	d.Name, d.Auth, d.Start = name, AuthHash, "/"
	for _, layer := range slices.Backward(f.layers(own)) {
		for i := range layer.settings {
			layer.settings[i].key.set(d, layer.settings[i].value)
		}
	}
	return d.finish()
}

// finish gives the user what depends on several keys.
func (d *draft) finish() User {
	u := d.User
	for _, h := range d.hashes {
		p := h.Password
		if h.expires != (moment{}) {
			p.Expires = h.expires.in(d.zone)
		}
		u.Passwords = append(u.Passwords, p)
	}
	if d.expires != (moment{}) {
		u.Expires = d.expires.in(d.zone)
	}
	if len(u.Hours.Spans) > 0 {
		u.Hours.Zone = d.zone
	}
	slices.SortFunc(u.Policy.Rules, func(a, b access.Rule) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(u.Mounts, func(a, b Mount) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortStableFunc(u.Policy.Patterns, func(a, b access.Pattern) int { return cmp.Compare(a.Path, b.Path) })
	u.ClientCerts = slices.Clone(u.ClientCerts)
	for i, cert := range u.ClientCerts {
		u.ClientCerts[i] = strings.ReplaceAll(cert, holdsUser, u.Name)
	}
	if strings.Contains(u.Start, "{") {
		if values, err := u.values(u.Start); err == nil {
			u.Start = values.Replace(u.Start)
		}
	}
	return u
}

// Table returns what holds for a user that has a table, be it Anybody, for people to look at.
func (f *File) Table(name string) User {
	own, ok := f.table(name)
	if !ok {
		return User{}
	}
	return f.effective(name, own)
}
