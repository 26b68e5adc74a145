package users

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// cross notes mistakes that show only where values are put together.
func (f *File) cross(r *reader) {
	root := &place{r: r}
	for name, own := range f.users {
		p := root.at("users").at(name)
		if f.crossGroups(p, own) {
			f.crossUser(p, own)
		}
	}
}

// crossGroups looks whether the groups of a user are there.
func (f *File) crossGroups(p *place, own *table) bool {
	groups, ok := own.find("groups")
	if !ok {
		return true
	}
	all := true
	for i, name := range groups.([]string) {
		if _, known := f.groups[name]; !known {
			p.at("groups").at(strconv.Itoa(i)).wrong("there is no group %q: add [groups.%s]%s", name, tomlKey(name), f.list())
			all = false
		}
	}
	return all
}

// list names the groups that there are.
func (f *File) list() string {
	if len(f.groups) == 0 {
		return ""
	}
	names := slices.Sorted(maps.Keys(f.groups))
	if len(names) > 10 {
		names = append(names[:10], "...")
	}
	return ", or name one of " + strings.Join(names, ", ")
}

// A found is a value, and where it stands.
type found struct {
	value any
	at    *place
}

// find returns the value of a key that holds for a user.
func (f *File) find(r *reader, own *table, name string) (found, bool) {
	for _, layer := range f.layers(own) {
		if v, ok := layer.find(name); ok {
			return found{v, (&place{r: r}).along(layer.path).at(name)}, true
		}
	}
	return found{}, false
}

// along returns the place with a path below p.
func (p *place) along(path string) *place {
	for _, name := range strings.Split(path, separator)[1:] {
		p = p.at(name)
	}
	return p
}

// crossUser looks whether what holds for a user goes together.
func (f *File) crossUser(p *place, own *table) {
	auth := AuthHash
	if a, ok := f.find(p.r, own, "auth"); ok {
		auth = a.value.(Auth)
	}
	hashes, hasPassword := own.find("password")
	hasPassword = hasPassword && len(hashes.([]hash)) > 0
	if hasPassword && auth != AuthHash {
		p.at("password").wrong(`auth = %q does not look at it: remove password, or auth`, auth)
	}
	if p.name == Anybody && auth != AuthRemote {
		p.wrongKey(`"*" stands for names that only a remote knows: give it auth = "remote", or name users one by one`)
	}
	_, hasGroup := own.find("groups")
	mountsAsk := false
	if v, ok := f.find(p.r, own, "mounts"); ok {
		mountsAsk = strings.Contains(remotesOf(v.value), holdsPassword)
	}
	for _, name := range []string{"remote", "home", "start", "mounts"} {
		if v, ok := f.find(p.r, own, name); ok {
			f.crossRemotes(p, v, auth, hasGroup, mountsAsk)
		}
	}
}

// crossRemotes looks at what a value that may have placeholders asks of the user at p.
func (f *File) crossRemotes(p *place, v found, auth Auth, hasGroup, mountsAsk bool) {
	text := remotesOf(v.value)
	if strings.Contains(text, holdsGroup) && !hasGroup {
		v.at.wrong("{group} stands for the first group, and user %q is in none: name groups there, or leave {group} out", p.name)
	}
	asks := strings.Contains(text, holdsPassword)
	switch {
	case asks && auth != AuthRemote:
		v.at.wrong(`{password} is there only with auth = "remote", which user %q does not have`, p.name)
	case !asks && auth == AuthRemote && v.at.name == "remote" && !mountsAsk:
		v.at.wrong(`it asks for no {password}, and so every password of user %q would be right: put {user} and {password} into its options`, p.name)
	}
}

// remotesOf returns the texts of a value that may have placeholders.
func remotesOf(value any) string {
	var texts []string
	switch value := value.(type) {
	case string:
		texts = []string{value}
	case []Mount:
		for _, m := range value {
			texts = append(texts, m.Remote)
		}
	}
	return strings.Join(texts, "\n")
}
