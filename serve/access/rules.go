package access

import (
	"errors"
	"slices"
)

// A Rule says what may be done below a path, and if its last element is a name also with a file of
// that name. A directory itself is an entry of its parent: whether it may be made, removed or
// renamed is said by the rule of the parent.
//
// The rule with the most elements that match a path decides alone. Of two that have as many, the
// one with the first exact element does, from the left.
type Rule struct {
	Path    string // absolute virtual path; "*" = one whole element of any name
	Verbs   Verbs
	OwnOnly bool // drop-box: only files that this session stored are there
}

// A Policy is what a user may do. The zero Policy allows everything. With rules, what none of them
// covers is denied.
type Policy struct {
	Rules       []Rule
	Patterns    []Pattern
	MaxFileSize int64 // bytes; 0 = no limit
	OnConflict  Conflict
}

// ParseRule returns the rule that path = words in a users file means.
func ParseRule(path string, words []string) (Rule, error) {
	if err := CheckPath(path); err != nil {
		return Rule{}, err
	}
	verbs, err := ParseVerbs(words)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Path: path, Verbs: verbs}
	for _, word := range words {
		r.OwnOnly = r.OwnOnly || word == setDropBox
	}
	if r.OwnOnly && verbs.any(List|Download) {
		return Rule{}, errors.New("drop-box shows only what the session sent: write upload and mkdir instead, or leave out list and download")
	}
	return r, nil
}

// Words returns the verbs and sets that r stands for. ParseRule reads them back.
func (r Rule) Words() []string {
	if !r.OwnOnly {
		return r.Verbs.Words()
	}
	dropBox, _ := verbsOf(setDropBox)
	return append([]string{setDropBox}, (r.Verbs &^ dropBox).Words()...)
}

// Decides returns the rule that says whether verb is allowed at the virtual path, and false if
// there is none: then it is denied if there are rules, and allowed if there are none. For Mkdir and
// Rmdir path is that of a directory, for List it is the directory to list, for all others it is a
// file.
func (p Policy) Decides(path string, verb Verbs) (Rule, bool) {
	if len(p.Rules) == 0 {
		return Rule{}, false
	}
	r := compile(p, false)
	name := root
	for _, e := range elementsOf(path) {
		name = join(name, e)
	}
	best := r.ofFile(name)
	switch verb {
	case List:
		best = r.inside(name)
	case Mkdir, Rmdir:
		best = r.inside(parent(name))
	}
	return best.Rule, best != &nothing
}

// rules is a Policy in the form in which it is asked.
type rules struct {
	all      []rule
	patterns patterns
	fold     bool // names that differ in case alone may be those of one file
	ownOnly  bool // of some rule
}

// rule is a Rule and the elements of its path.
type rule struct {
	Rule
	elements []string
}

// nothing is the rule for what no other covers.
var nothing = rule{}

func compile(p Policy, fold bool) *rules {
	r := &rules{fold: fold, patterns: compilePatterns(p.Patterns, fold)}
	for _, one := range p.Rules {
		r.all = append(r.all, rule{one, elementsOf(one.Path)})
		r.ownOnly = r.ownOnly || one.OwnOnly
	}
	if len(p.Rules) == 0 {
		r.all = []rule{{Rule: Rule{Path: "/", Verbs: All}}}
	}
	return r
}

// grant reports whether any rule allows something that verb is.
func (r *rules) grant(verb Verbs) bool {
	return slices.ContainsFunc(r.all, func(one rule) bool { return one.Verbs&verb != 0 })
}

// inside returns the rule for what is in the directory called name.
func (r *rules) inside(name string) *rule {
	return r.best(name, func(*rule) bool { return true })
}

// ofFile returns the rule for a file called name. A "*" at the end of a path stands for a
// directory: "/*" does not cover the files of "/".
func (r *rules) ofFile(name string) *rule {
	depth := depthOf(name)
	return r.best(name, func(c *rule) bool {
		return len(c.elements) < depth || depth == 0 || c.elements[depth-1] != anyName
	})
}

// best returns the rule that decides for name, of those that suit.
func (r *rules) best(name string, suits func(*rule) bool) *rule {
	var best *rule
	for i := range r.all {
		c := &r.all[i]
		if covers(c.elements, name, r.fold) && suits(c) && (best == nil || beats(c.elements, best.elements)) {
			best = c
		}
	}
	if best == nil {
		return &nothing
	}
	return best
}

// leads reports whether a rule that allows something has a path at or below the directory name, of
// at least depth elements.
func (r *rules) leads(name string, depth int) bool {
	return r.anyBelow(name, depth, func(c *rule) bool { return r.effective(name, c).Verbs != 0 })
}

// expected reports whether the path of a rule that allows something, without a "*", leads to the
// directory name: the operator has named it.
func (r *rules) expected(name string) bool {
	depth := depthOf(name)
	return r.anyBelow(name, depth, func(c *rule) bool {
		for _, e := range c.elements[:depth] {
			if e == anyName {
				return false
			}
		}
		return r.effective(name, c).Verbs != 0
	})
}

// uniform reports whether no path of a rule at or below the directory name allows other than the
// rule of its parent.
func (r *rules) uniform(name string) bool {
	above := r.inside(parent(name))
	return !r.anyBelow(name, depthOf(name), func(c *rule) bool {
		c = r.effective(name, c)
		return c.Verbs != above.Verbs || c.OwnOnly != above.OwnOnly
	})
}

// anyBelow reports whether test accepts a rule whose path lies at or below the directory name and
// has at least depth elements.
func (r *rules) anyBelow(name string, depth int, test func(*rule) bool) bool {
	n := depthOf(name)
	for i := range r.all {
		c := &r.all[i]
		if len(c.elements) >= max(n, depth) && covers(c.elements[:n], name, r.fold) && test(c) {
			return true
		}
	}
	return false
}

// effective returns the rule that decides at the path of c, which lies at or below name. A "*" of
// the path is a name that no rule has.
func (r *rules) effective(name string, c *rule) *rule {
	for _, e := range c.elements[depthOf(name):] {
		if e == anyName {
			e = "\x00"
		}
		name = join(name, e)
	}
	return r.inside(name)
}
