package access_test

import (
	"path"
	"slices"
	"strings"

	"ferry/serve/access"
)

// A model answers what a policy allows by looking at every path of a small world, one by one. It
// shares no code with the package but the words for verbs.
type model struct {
	policy access.Policy
	paths  []string // of the world, each begins with "/"
	own    map[string]bool
	leads  map[string]bool // directories that have something of own somewhere below
}

// rule returns the rule for what is in the directory p, or with file the rule for the file p.
func (m *model) rule(p string, file bool) access.Rule {
	if len(m.policy.Rules) == 0 {
		return access.Rule{Verbs: access.All}
	}
	best, rank := access.Rule{}, ""
	for _, r := range m.policy.Rules {
		key := strings.FieldsFunc(r.Path, func(c rune) bool { return c == '/' })
		is := strings.FieldsFunc(p, func(c rune) bool { return c == '/' })
		if len(key) > len(is) || file && len(key) == len(is) && len(key) > 0 && key[len(key)-1] == "*" {
			continue
		}
		mine, fits := string(rune('0'+len(key))), true
		for i, k := range key {
			fits = fits && (k == "*" || k == is[i])
			mine += map[bool]string{true: "0", false: "1"}[k == "*"]
		}
		if fits && mine > rank {
			best, rank = r, mine
		}
	}
	return best
}

func (m *model) can(p string, file bool, v access.Verbs) bool { return m.rule(p, file).Verbs&v == v }

// judge returns "", "denied" or "hidden".
func (m *model) judge(p string, dir bool) string {
	if p == "/" {
		return ""
	}
	if up := path.Dir(p); m.judge(up, true) != "" {
		return "hidden"
	}
	decide := m.patternsFor(path.Dir(p))
	if decide == "" {
		return ""
	}
	verdict := ""
	for _, one := range m.policy.Patterns {
		if one.Path != decide {
			continue
		}
		match := func(globs []string) bool {
			return slices.ContainsFunc(globs, func(g string) bool {
				ok, _ := path.Match(strings.ToUpper(g), strings.ToUpper(path.Base(p)))
				return ok
			})
		}
		if match(one.Deny) || !dir && len(one.Allow) > 0 && !match(one.Allow) {
			if one.Hide {
				return "hidden"
			}
			verdict = "denied"
		}
	}
	return verdict
}

// below returns the paths of the world below p, and with self p too.
func (m *model) below(p string, self bool) []string {
	return slices.DeleteFunc(slices.Clone(m.paths), func(q string) bool {
		return !(q == p && self) && (q == p || !strings.HasPrefix(q, strings.TrimSuffix(p, "/")+"/"))
	})
}

// grants reports whether a rule that lies at or below p allows something there.
func (m *model) grants(p string, self bool) bool {
	return slices.ContainsFunc(m.below(p, self), func(q string) bool {
		r := m.rule(q, false)
		return r.Verbs != 0 && strings.Count(r.Path, "/") >= strings.Count(q, "/") && r.Path != "/"
	})
}

// fileThere reports whether the client may know of the file p.
func (m *model) fileThere(p string) bool {
	r := m.rule(p, true)
	if m.judge(p, false) == "hidden" {
		return false
	}
	if r.OwnOnly {
		return m.own[p]
	}
	return r.Verbs&^(access.Upload|access.Mkdir|access.Rmdir) != 0
}

// file reports whether v may be applied to the file p that exists.
func (m *model) file(p string, v access.Verbs) bool {
	r := m.rule(p, true)
	return m.judge(p, false) == "" && r.Verbs&v == v && (!r.OwnOnly || m.own[p])
}

func (m *model) fileListed(p string) bool {
	return m.fileThere(p) && (m.rule(p, true).OwnOnly || m.can(p, true, access.List))
}

func (m *model) dirThere(p string) bool {
	return m.judge(p, true) != "hidden" && (p == "/" || m.rule(p, false).Verbs != 0 || m.grants(p, false))
}

// dir reports whether v may be applied to the directory p as an entry.
func (m *model) dir(p string, v access.Verbs) bool {
	r := m.rule(path.Dir(p), false)
	if m.judge(p, true) != "" || !m.dirThere(p) || r.Verbs&v != v || r.OwnOnly && !m.own[p] {
		return false
	}
	return v != access.Rename || m.uniform(p)
}

// uniform reports whether what is at and below p has the rule of its parent, and no patterns.
func (m *model) uniform(p string) bool {
	up := m.rule(path.Dir(p), false)
	for _, q := range m.below(p, true) {
		if r := m.rule(q, false); r.Verbs != up.Verbs || r.OwnOnly != up.OwnOnly {
			return false
		}
		for _, one := range m.policy.Patterns {
			if ok, _ := path.Match(one.Path, q); ok {
				return false
			}
		}
	}
	return true
}

func (m *model) dirListable(p string) bool {
	r := m.rule(p, false)
	return m.dirThere(p) && m.judge(p, true) == "" && (r.Verbs&access.List != 0 || r.OwnOnly || m.grants(p, false))
}

func (m *model) dirListed(p string) bool {
	r := m.rule(path.Dir(p), false)
	switch {
	case !m.dirThere(p):
		return false
	case m.grants(p, true):
		return true
	case r.OwnOnly:
		return m.own[p] || m.leads[p]
	}
	return r.Verbs&access.List != 0
}

// inside reports whether v is allowed with what is in the directory p.
func (m *model) inside(p string, v access.Verbs) bool {
	return m.judge(p, true) == "" && m.can(p, false, v)
}

// perm returns the letters of the perm fact, in the order of RFC 3659.
func (m *model) perm(p string, dir bool) string {
	letters := ""
	add := func(letter string, granted bool) {
		if granted {
			letters += letter
		}
	}
	if dir {
		add("e", m.dirThere(p))
		add("l", m.dirListable(p))
		add("c", m.inside(p, access.Upload))
		add("m", m.inside(p, access.Mkdir))
		add("p", m.inside(p, access.Delete) || m.inside(p, access.Rmdir))
		add("d", p != "/" && m.dir(p, access.Rmdir))
		add("f", p != "/" && m.dir(p, access.Rename))
		return letters
	}
	add("r", m.file(p, access.Download))
	add("w", m.file(p, access.Overwrite))
	add("a", m.file(p, access.Resume))
	add("d", m.file(p, access.Delete))
	add("f", m.file(p, access.Rename))
	return letters
}

// patternsFor returns the path of the patterns that decide in the directory p.
func (m *model) patternsFor(p string) string {
	in := &model{}
	for _, one := range m.policy.Patterns {
		in.policy.Rules = append(in.policy.Rules, access.Rule{Path: one.Path, Verbs: 1})
	}
	if len(in.policy.Rules) == 0 {
		return ""
	}
	return in.rule(p, false).Path
}
