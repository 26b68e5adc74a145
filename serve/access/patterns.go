package access

import (
	"fmt"
	"path"
	"strings"
)

// A Pattern restricts the names of files in and below a path. Of several patterns those with the
// path that Rule would choose decide, all others do not count.
//
// Globs are those of path.Match and match the last element of a path, in any case. A name that one
// of Deny matches is denied, and so is a file with a name that none of Allow matches, unless Allow
// is empty. Deny also matches the names of directories, and then nothing is below them.
type Pattern struct {
	Path        string
	Allow, Deny []string
	Hide        bool // what is denied is not there; otherwise it is listed but nothing may be done with it
}

// CheckGlob returns an error unless glob is one of a Pattern.
func CheckGlob(glob string) error {
	if _, err := path.Match(glob, ""); err != nil || glob == "" || strings.Contains(glob, "/") {
		return fmt.Errorf("%q is no pattern for a file name; write one like *.csv or report-[0-9].txt", glob)
	}
	return nil
}

// patterns are the patterns of a Policy in the form in which they are asked.
type patterns struct {
	all  []pattern
	fold bool
}

// pattern is a Pattern with folded globs, and the elements of its path.
type pattern struct {
	Pattern
	elements []string
}

func compilePatterns(given []Pattern, fold bool) patterns {
	p := patterns{fold: fold}
	for _, one := range given {
		one.Allow, one.Deny = folded(one.Allow), folded(one.Deny)
		p.all = append(p.all, pattern{one, elementsOf(one.Path)})
	}
	return p
}

func folded(globs []string) []string {
	all := make([]string, 0, len(globs))
	for _, glob := range globs {
		all = append(all, strings.ToLower(glob))
	}
	return all
}

// A judgement is what the patterns say of a name.
type judgement uint8

const (
	allowed judgement = iota
	denied            // it is there, but nothing may be done with it
	hidden
)

// of judges name, which is that of a directory or of a file.
func (p *patterns) of(name string, dir bool) judgement {
	if len(p.all) == 0 || name == root {
		return allowed
	}
	for i := range len(name) {
		if name[i] == '/' && p.entry(name[:i], true) != allowed {
			return hidden // nothing is below a denied directory
		}
	}
	return p.entry(name, dir)
}

// entry judges the last element of name.
func (p *patterns) entry(name string, dir bool) judgement {
	in, base := split(name)
	base = strings.ToLower(base)
	best := p.best(in)
	verdict := allowed
	for i := range p.all {
		one := &p.all[i]
		if best == nil || !samePath(one.elements, best.elements, p.fold) || !one.denies(base, dir) {
			continue
		}
		if one.Hide {
			return hidden
		}
		verdict = denied
	}
	return verdict
}

// best returns one of the patterns that decide in dir, nil if there are none.
func (p *patterns) best(dir string) *pattern {
	var best *pattern
	for i := range p.all {
		one := &p.all[i]
		if covers(one.elements, dir, p.fold) && (best == nil || beats(one.elements, best.elements)) {
			best = one
		}
	}
	return best
}

func samePath(a, b []string, fold bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(fold && strings.EqualFold(a[i], b[i])) {
			return false
		}
	}
	return true
}

func (p *pattern) denies(base string, dir bool) bool {
	if matchAny(p.Deny, base, true) {
		return true
	}
	return !dir && len(p.Allow) > 0 && !matchAny(p.Allow, base, false)
}

// matchAny reports whether one of globs matches; a bad one counts as otherwise.
func matchAny(globs []string, base string, otherwise bool) bool {
	for _, glob := range globs {
		if ok, err := path.Match(glob, base); ok || err != nil && otherwise {
			return true
		}
	}
	return false
}

// differ reports whether the names of what is below a can be judged other than of what is below b,
// or than elsewhere below a.
func (p *patterns) differ(a, b string) bool {
	if p.under(a) || p.under(b) {
		return true
	}
	best, other := p.best(parent(a)), p.best(parent(b))
	if best == nil || other == nil {
		return best != other
	}
	return !samePath(best.elements, other.elements, p.fold)
}

// under reports whether there are patterns for name or for what is below it.
func (p *patterns) under(name string) bool {
	depth := depthOf(name)
	for i := range p.all {
		e := p.all[i].elements
		if len(e) >= depth && covers(e[:depth], name, p.fold) {
			return true
		}
	}
	return false
}
