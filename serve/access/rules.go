// Package access says what a user may do with which path, and makes one tree of several.
//
// New puts a Policy over an ftp.FS. Each operation, and the perm fact of MLSD, follow from one
// function. Join puts trees into the directories of another. The files, in reading order:
//
//	verbs.go     verbs, and the names of sets of them
//	rules.go     Rule, Pattern and Policy: which of them decides for a path
package access

import (
	"errors"
	"fmt"
	"path"
	"strings"
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

// A Pattern restricts the names of files in and below a path. Of several patterns those with the
// path that Rule would choose decide, all others do not count.
//
// Globs are those of path.Match and match the last element of a path, in any case. A name that one
// of Deny matches is denied, and so is a file with a name that none of Allow matches, unless Allow
// is empty. Deny also matches the names of directories, and then denies what is in them.
type Pattern struct {
	Path        string
	Allow, Deny []string
	Hide        bool // what is denied is not there; otherwise it is listed but nothing may be done with it
}

// A Policy is what a user may do. The zero Policy allows everything. With rules, what none of them
// covers is denied.
type Policy struct {
	Rules       []Rule
	Patterns    []Pattern
	MaxFileSize int64 // bytes; 0 = no limit
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

// CheckPath returns an error unless path is one of a Rule, Pattern or Mount: absolute, without
// empty elements, "." and "..", and with "*" only as a whole element.
func CheckPath(path string) error {
	if path == "/" {
		return nil
	}
	rest, absolute := strings.CutPrefix(path, "/")
	if !absolute {
		return fmt.Errorf("%q is not a path from the root; write %q", path, "/"+path)
	}
	for element := range strings.SplitSeq(rest, "/") {
		switch {
		case element == "", element == ".", element == "..":
			return fmt.Errorf("%q has an empty element, . or ..; write names between single slashes", path)
		case strings.ContainsRune(element, '*') && element != anyName:
			return fmt.Errorf("%q has * inside an element; it stands for a whole one, as in /*/in", path)
		case strings.ContainsAny(element, "\x00\r\n"):
			return fmt.Errorf("%q has a line end or NUL; no client can send that", path)
		}
	}
	return nil
}

// CheckGlob returns an error unless glob is one of a Pattern.
func CheckGlob(glob string) error {
	if _, err := path.Match(glob, ""); err != nil || glob == "" || strings.Contains(glob, "/") {
		return fmt.Errorf("%q is no pattern for a file name; write one like *.csv or report-[0-9].txt", glob)
	}
	return nil
}

// Decides returns the rule that says whether verb is allowed at the virtual path, and false if
// there is none: then it is denied if there are rules, and allowed if there are none. For Mkdir and
// Rmdir path is that of a directory, for List what is in it, for all others that of a file.
func (p Policy) Decides(path string, verb Verbs) (Rule, bool) {
	name := strings.Trim(path, "/")
	if name == "" {
		name = root
	}
	r := compile(p, false)
	best := r.ofFile(name)
	switch verb {
	case List:
		best = r.inside(name)
	case Mkdir, Rmdir:
		best = r.inside(parent(name))
	}
	if best == nil {
		return Rule{}, false
	}
	return best.Rule, true
}

// anyName is the element of a Path that matches every element; root the name of the root in an
// ftp.FS.
const (
	anyName = "*"
	root    = "."
)

// rules is a Policy in the form in which it is asked.
type rules struct {
	all  []rule
	fold bool // the names of the tree differ in more than case alone
}

// rule is a Rule and the elements of its path.
type rule struct {
	Rule
	elements []string
}

func compile(p Policy, fold bool) *rules {
	r := &rules{fold: fold}
	for _, one := range p.Rules {
		r.all = append(r.all, rule{one, elementsOf(one.Path)})
	}
	return r
}

// elementsOf returns the elements of an absolute path, or of a name of an ftp.FS.
func elementsOf(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" || path == root {
		return nil
	}
	return strings.Split(path, "/")
}

// parent returns the directory that name is in; that of the root is the root.
func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return root
}

// inside returns the rule for what is in the directory called name, nil if there is none.
func (r *rules) inside(name string) *rule {
	return r.best(name, func(*rule, int) bool { return true })
}

// ofFile returns the rule for a file called name. A "*" at the end of a path stands for a
// directory: "/*" does not cover the files of "/".
func (r *rules) ofFile(name string) *rule {
	return r.best(name, func(c *rule, depth int) bool {
		return len(c.elements) < depth || depth == 0 || c.elements[depth-1] != anyName
	})
}

// best returns the rule that decides for name, of those that suit its number of elements.
func (r *rules) best(name string, suits func(c *rule, depth int) bool) *rule {
	var best *rule
	depth := depthOf(name)
	for i := range r.all {
		c := &r.all[i]
		if covers(c.elements, name, r.fold) && suits(c, depth) && (best == nil || beats(c.elements, best.elements)) {
			best = c
		}
	}
	return best
}

// depthOf returns the number of elements of name.
func depthOf(name string) int {
	if name == root {
		return 0
	}
	return strings.Count(name, "/") + 1
}

// covers reports whether elements match the first elements of name.
func covers(elements []string, name string, fold bool) bool {
	if name == root {
		name = ""
	}
	for _, e := range elements {
		if name == "" {
			return false
		}
		var first string
		first, name, _ = strings.Cut(name, "/")
		if !matches(e, first, fold) {
			return false
		}
	}
	return true
}

// matches reports whether an element of a Path matches an element of a name.
func matches(element, name string, fold bool) bool {
	return element == anyName || element == name || fold && strings.EqualFold(element, name)
}

// beats reports whether the path a decides rather than b. Both cover the same name.
func beats(a, b []string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	for i := range a {
		if (a[i] == anyName) != (b[i] == anyName) {
			return b[i] == anyName
		}
	}
	return false
}
