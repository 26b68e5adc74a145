package filter

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// rules are those for files and those for directories, each in the order in which they count.
type rules struct {
	ignoreCase  bool
	files, dirs []rule
}

// A rule says of the names that it matches whether they exist.
type rule struct {
	matches *regexp.Regexp
	include bool
	flag    string // that it came from, such as "--exclude"
}

// verdict is what the rules say of a name: the flag that excludes it, or "".
type verdict string

const included verdict = ""

// decide returns what the first of all that matches path says; what none matches is included.
func decide(all []rule, path string) verdict {
	for i := range all {
		if all[i].matches.MatchString(path) {
			if all[i].include {
				return included
			}
			return verdict(all[i].flag)
		}
	}
	return included
}

// add appends the rule to include or exclude pattern. A pattern that ends with a slash is about
// directories, one with ** in it about both. What includes files includes the directories that lead
// to them.
func (r *rules) add(include bool, pattern, flag string) error {
	forDirs := strings.HasSuffix(pattern, "/")
	forFiles := !forDirs
	if forDirs && !include {
		pattern += "**"
	}
	if strings.Contains(pattern, "**") {
		forDirs, forFiles = true, true
	}
	if strings.Trim(pattern, "/") == "" {
		return fmt.Errorf("%s %q: there is nothing to match", flag, pattern)
	}
	re, err := compile(pattern, r.ignoreCase)
	if err != nil {
		return fmt.Errorf("%s %q: %w", flag, pattern, err)
	}
	if forFiles {
		r.files = append(r.files, rule{re, include, flag})
		if include || pattern == "*" {
			if err := r.addLeading(include, pattern, flag); err != nil {
				return err
			}
		}
	}
	if forDirs {
		r.dirs = append(r.dirs, rule{re, include, flag})
	}
	return nil
}

// addLeading appends rules for the directories that lead to what pattern matches.
func (r *rules) addLeading(include bool, pattern, flag string) error {
	for _, dir := range leading(pattern) {
		re, err := compile(dir, r.ignoreCase)
		if err != nil {
			return fmt.Errorf("%s %q: %w", flag, pattern, err)
		}
		r.dirs = append(r.dirs, rule{re, include, flag})
	}
	return nil
}

// hard matches patterns that cannot be cut at slashes: one that holds a regular expression, or a
// choice between paths.
var hard = regexp.MustCompile(`\{\{|\{[^{}]*(?:/|\*\*)[^{}]*\}`)

// slashes matches what counts as one slash.
var slashes = regexp.MustCompile(`/{2,}`)

// leading returns patterns for the directories in which something that pattern matches can be. A
// path that is not rooted counts from the root here, as it does for rclone: with + a/*.jpg and - **
// the directory x/a is not looked into.
func leading(pattern string) []string {
	if hard.MatchString(pattern) {
		return []string{"/**"}
	}
	pattern = slashes.ReplaceAllString(pattern, "/")
	var dirs []string
	for {
		slash, stars := strings.LastIndex(pattern, "/"), strings.LastIndex(pattern, "**")
		at, tail := slash, "/"
		if stars > slash {
			at, tail = stars, "**/"
		}
		if at < 0 {
			break
		}
		pattern = pattern[:at]
		if dir := pattern + tail; dir != "/" && (len(dirs) == 0 || dirs[len(dirs)-1] != dir) {
			dirs = append(dirs, dir)
		}
		if pattern == "" {
			return dirs
		}
	}
	if len(dirs) == 0 {
		dirs = append(dirs, "/**") // a lone name may be in any directory
	}
	return dirs
}

// addRule appends what a line says: "+ pattern", "- pattern" or "!", which drops all rules so far.
func (r *rules) addRule(line, flag string) error {
	switch {
	case line == "!":
		r.files, r.dirs = nil, nil
		return nil
	case strings.HasPrefix(line, "+ "):
		return r.add(true, line[2:], flag)
	case strings.HasPrefix(line, "- "):
		return r.add(false, line[2:], flag)
	}
	return fmt.Errorf("%s %q: %w", flag, line, errRule)
}

var errRule = errors.New("a rule is + and a pattern, - and a pattern, or ! alone")

// lines returns those of text that are not empty and no remarks.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != ';' {
			all = append(all, line)
		}
	}
	return all
}
