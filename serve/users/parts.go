package users

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"ferry/auth"
	"ferry/config"
	"ferry/serve/access"
)

// maxListed is how many keys a message lists.
const maxListed = 8

// fields notes every key of a table that is not known.
func (p *place) fields(table map[string]any, known ...string) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if slices.Contains(known, name) {
			continue
		}
		if near := config.Nearest(name, known); near != "" {
			p.at(name).wrongKey("there is no key %s here: did you mean %s?", tomlKey(name), near)
			continue
		}
		there := "there are " + strings.Join(known, ", ")
		if len(known) > maxListed {
			there = "doc/users.md has those that there are"
		}
		p.at(name).wrongKey("there is no key %s here: %s", tomlKey(name), there)
	}
}

func passwordKey() key {
	return key{
		name: "password",
		read: readPasswords,
		set:  func(d *draft, v any) { d.hashes = v.([]hash) },
		show: func(v any) string { return show(algorithms(v.([]hash))) },
	}
}

// algorithms shows of each hash how it was made.
func algorithms(hashes []hash) []string {
	names := []string{}
	for _, h := range hashes {
		name := "hash"
		if parts := strings.SplitN(h.Hash, "$", 3); len(parts) == 3 && parts[0] == "" {
			name = parts[1]
		} else if scheme, _, ok := strings.Cut(strings.TrimPrefix(h.Hash, "{"), "}"); ok {
			name = scheme
		}
		if h.expires != (moment{}) {
			name += " until " + h.expires.String()
		}
		if h.Note != "" {
			name += " (" + h.Note + ")"
		}
		names = append(names, name)
	}
	return names
}

func readPasswords(p *place, raw any) (any, bool) {
	switch raw.(type) {
	case []any, *branches:
	default:
		h, ok := readPassword(p, raw)
		return []hash{h}, ok
	}
	list, _ := p.list(raw, "an array")
	all, ok := []hash{}, true
	for i, one := range list {
		h, isHash := readPassword(p.at(strconv.Itoa(i)), one)
		ok = ok && isHash
		all = append(all, h)
	}
	return all, ok
}

// readPassword reads a hash, or a table with one.
func readPassword(p *place, raw any) (hash, bool) {
	switch v := raw.(type) {
	case string:
		return hash{Password: Password{Hash: v}}, p.checkHash(v)
	case *branch:
		return readHashTable(p, v.values)
	}
	p.wrong("a hash, or a table {hash, expires, note}, is expected here, and this is %s", kindOf(raw))
	return hash{}, false
}

func readHashTable(p *place, table map[string]any) (h hash, ok bool) {
	p.fields(table, "hash", "expires", "note")
	text, there := table["hash"]
	if !there {
		p.wrong("there is no hash in it: ferry users hash makes one")
		return h, false
	}
	if h.Hash, ok = p.at("hash").text(text); ok {
		ok = p.at("hash").checkHash(h.Hash)
	}
	if expires, there := table["expires"]; there {
		var isMoment bool
		h.expires, isMoment = p.at("expires").moment(expires)
		ok = ok && isMoment
	}
	if note, there := table["note"]; there {
		var isText bool
		h.Note, isText = p.at("note").text(note)
		ok = ok && isText
	}
	return h, ok
}

// checkHash notes a mistake unless s is a hash that can be checked. It does not show s, which may
// be a password.
func (p *place) checkHash(s string) bool {
	if err := auth.Supported(s); err != nil {
		p.wrong("%v", err)
		return false
	}
	return true
}

func remoteKey() key {
	k := value("remote", readRemote, func(d *draft) *string { return &d.Remote })
	k.show = func(v any) string { return config.RedactRemote(v.(string)) }
	return k
}

func readRemote(p *place, raw any) (string, bool) {
	s, ok := p.text(raw)
	if !ok {
		return "", false
	}
	sample := User{Name: "x", Groups: []string{"x"}}
	if _, err := config.ParseRemote(s); err != nil {
		p.wrong("%v", err)
		return "", false
	}
	if _, err := sample.Expand(s); err != nil {
		p.wrong("%v", err)
		return "", false
	}
	return s, true
}

// readHome reads what {home} stands for.
func readHome(p *place, raw any) (string, bool) {
	s, ok := p.text(raw)
	if !ok || !p.checkWords(s, true) {
		return "", false
	}
	sample := User{Name: "x", Groups: []string{"x"}, Home: s}
	if _, err := sample.values(""); err != nil {
		p.wrong("%v", err)
		return "", false
	}
	return s, true
}

// checkWords notes a mistake if s has a placeholder besides those of the user.
func (p *place) checkWords(s string, inHome bool) bool {
	for _, word := range placeholder.FindAllString(s, -1) {
		if word == holdsUser || word == holdsGroup || word == holdsHome && !inHome {
			continue
		}
		p.wrong("%s stands for nothing here: there are {user}, {group}%s", word, map[bool]string{false: ", {home}"}[inHome])
		return false
	}
	return true
}

func mountsKey() key {
	return key{
		name: "mounts",
		read: readMounts,
		set: func(d *draft, v any) {
			for _, m := range v.([]Mount) {
				d.Mounts = slices.DeleteFunc(d.Mounts, func(o Mount) bool { return o.Path == m.Path })
				d.Mounts = append(d.Mounts, m)
			}
		},
		parts: func(v any) (list []part) {
			for _, m := range v.([]Mount) {
				list = append(list, part{name: m.Path, at: m.Path, text: mountText(m)})
			}
			return list
		},
	}
}

func mountText(m Mount) string {
	var words []string
	if m.ReadOnly {
		words = append(words, "read_only")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Options)) {
		words = append(words, name+"="+m.Options[name])
	}
	text := config.RedactRemote(m.Remote)
	if len(words) > 0 {
		text += " (" + strings.Join(words, ", ") + ")"
	}
	return text
}

func readMounts(p *place, raw any) (any, bool) {
	table, ok := p.table(raw)
	var mounts []Mount
	for _, path := range slices.Sorted(maps.Keys(table)) {
		at := p.at(path)
		m, isMount := readMount(at, table[path])
		if path == "/" {
			at.wrongKey("/ is not a directory to put a remote into: use remote for the root")
			ok = false
		}
		m.Path = path
		ok = at.checkPath(path) && isMount && ok
		mounts = append(mounts, m)
	}
	return mounts, ok
}

func readMount(p *place, raw any) (m Mount, ok bool) {
	b, isTable := raw.(*branch)
	if !isTable {
		m.Remote, ok = readRemote(p, raw)
		return m, ok
	}
	table := b.values
	p.fields(table, append([]string{"remote", "read_only"}, OptionKeys()...)...)
	remote, there := table["remote"]
	if !there {
		p.wrong("the remote is missing: write {remote = \"...\", read_only = true}")
		return m, false
	}
	m.Remote, ok = readRemote(p.at("remote"), remote)
	if toggle, there := table["read_only"]; there {
		var isToggle bool
		m.ReadOnly, isToggle = p.at("read_only").toggle(toggle)
		ok = ok && isToggle
	}
	for _, k := range optionKeys() {
		raw, there := table[k.name]
		if !there {
			continue
		}
		v, isOption := k.read(p.at(k.name), raw)
		if !isOption {
			ok = false
			continue
		}
		if m.Options == nil {
			m.Options = map[string]string{}
		}
		m.Options[k.name] = v.(string)
	}
	return m, ok
}

func permissionsKey() key {
	return key{
		name: "permissions",
		read: readRules,
		set: func(d *draft, v any) {
			for _, r := range v.([]access.Rule) {
				d.Policy.Rules = slices.DeleteFunc(d.Policy.Rules, func(o access.Rule) bool { return o.Path == r.Path })
				d.Policy.Rules = append(d.Policy.Rules, r)
			}
		},
		parts: func(v any) (list []part) {
			for _, r := range v.([]access.Rule) {
				list = append(list, part{name: r.Path, at: r.Path, text: show(r.Words())})
			}
			return list
		},
	}
}

func readRules(p *place, raw any) (any, bool) {
	table, ok := p.table(raw)
	var rules []access.Rule
	for _, path := range slices.Sorted(maps.Keys(table)) {
		at := p.at(path)
		words, isList := at.texts(table[path])
		if !isList {
			ok = false
			continue
		}
		r, err := access.ParseRule(path, words)
		if err != nil {
			at.wrong("%v", err)
			ok = false
		}
		rules = append(rules, r)
	}
	return rules, ok
}

func patternsKey() key {
	return key{
		name: "patterns",
		read: readPatterns,
		set: func(d *draft, v any) {
			own := v.([]access.Pattern)
			d.Policy.Patterns = slices.DeleteFunc(d.Policy.Patterns, func(o access.Pattern) bool {
				return slices.ContainsFunc(own, func(n access.Pattern) bool { return n.Path == o.Path })
			})
			d.Policy.Patterns = append(d.Policy.Patterns, own...)
		},
		parts: func(v any) (list []part) {
			for i, n := range v.([]access.Pattern) {
				list = append(list, part{name: n.Path, at: strconv.Itoa(i), text: patternText(n)})
			}
			return list
		},
	}
}

func patternText(n access.Pattern) string {
	var words []string
	if len(n.Allow) > 0 {
		words = append(words, "allow "+show(n.Allow))
	}
	if len(n.Deny) > 0 {
		words = append(words, "deny "+show(n.Deny))
	}
	if n.Hide {
		words = append(words, "hide")
	}
	return strings.Join(words, ", ")
}

func readPatterns(p *place, raw any) (any, bool) {
	list, ok := p.list(raw, `an array of tables ([{path = "/", deny = ["*.exe"]}])`)
	var patterns []access.Pattern
	for i, one := range list {
		at := p.at(strconv.Itoa(i))
		table, isTable := at.table(one)
		if !isTable {
			ok = false
			continue
		}
		n, isPattern := readPattern(at, table)
		ok = ok && isPattern
		patterns = append(patterns, n)
	}
	return patterns, ok
}

func readPattern(p *place, table map[string]any) (access.Pattern, bool) {
	p.fields(table, "path", "allow", "deny", "hide")
	n, ok := access.Pattern{Path: "/"}, true
	if raw, there := table["path"]; there {
		if n.Path, ok = p.at("path").text(raw); ok {
			if err := access.CheckPath(n.Path); err != nil {
				p.at("path").wrong("%v", err)
				ok = false
			}
		}
	}
	globs := func(name string) []string {
		raw, there := table[name]
		if !there {
			return nil
		}
		list, isList := each(p.at(name), raw, func(s string) (string, error) { return s, access.CheckGlob(s) })
		ok = ok && isList
		return list
	}
	n.Allow, n.Deny = globs("allow"), globs("deny")
	if raw, there := table["hide"]; there {
		var isToggle bool
		n.Hide, isToggle = p.at("hide").toggle(raw)
		ok = ok && isToggle
	}
	if ok && len(n.Allow)+len(n.Deny) == 0 {
		p.wrong("a pattern says what it lets through or not: add allow or deny")
		return n, false
	}
	return n, ok
}
