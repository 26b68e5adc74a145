package settings

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// MatchUser reports whether h is about a user.
func (h Hook) MatchUser(name string) bool { return h.Users == nil || matchAny(h.Users, name) }

// MatchPath reports whether h is about a path; "" is none, and passes. A glob with a slash is about
// whole paths: an element ** stands for any number of elements. One without is about the last
// element.
func (h Hook) MatchPath(p string) bool {
	return h.Paths == nil || p == "" || slices.ContainsFunc(h.Paths, func(glob string) bool { return matchPath(glob, p) })
}

// Ignores reports whether an upload of that path is told of only once it has another name.
func (h Hook) Ignores(p string) bool {
	globs := h.Ignore
	if globs == nil {
		globs = DefaultIgnore()
	}
	return slices.ContainsFunc(globs, func(glob string) bool { return matchPath(glob, p) })
}

func matchAny(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, _ := path.Match(glob, name)
		return ok
	})
}

func matchPath(glob, p string) bool {
	if !strings.Contains(glob, "/") {
		return matchLast(glob, path.Base(p))
	}
	return matchElements(elements(glob), elements(p))
}

// matchLast is path.Match for what has no slash. Each upload asks for some globs of the form *.tmp.
func matchLast(glob, name string) bool {
	if end, is := strings.CutPrefix(glob, "*"); is && !strings.ContainsAny(end, `*?[\`) {
		return strings.HasSuffix(name, end)
	}
	ok, _ := path.Match(glob, name)
	return ok
}

func elements(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }

// matchElements compares element by element. Of several **, each but the last takes as few elements
// as it can, which finds a match if there is one.
func matchElements(glob, names []string) bool {
	star, from := -1, 0
	g, n := 0, 0
	for n < len(names) {
		switch {
		case g < len(glob) && glob[g] == "**":
			star, from = g, n
			g++
		case g < len(glob) && matchAny(glob[g:g+1], names[n]):
			g++
			n++
		case star >= 0:
			from++
			g, n = star+1, from
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == "**" {
		g++
	}
	return g == len(glob)
}

// CheckGlob returns why s is no glob of a path.
func CheckGlob(s string) error {
	if s == "" {
		return errors.New("a pattern is not empty")
	}
	for _, element := range elements(s) {
		if _, err := path.Match(element, ""); err != nil || strings.Contains(element, "**") && element != "**" {
			return fmt.Errorf("%q is no pattern: write one like *.csv, /in/*.csv or /in/**", s)
		}
	}
	return nil
}

// CheckUsers returns why s is no glob of names of users.
func CheckUsers(s string) error {
	if _, err := path.Match(s, ""); err != nil || s == "" {
		return fmt.Errorf("%q is no pattern of users: write a name, or one like camera-*", s)
	}
	return nil
}
