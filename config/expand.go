package config

import (
	"regexp"
	"strings"
)

// reference is %(key)s, which stands for the value of another key.
var reference = regexp.MustCompile(`%\([^)]+\)s`)

const (
	maxReferences = 1000    // that are replaced for one value
	maxExpanded   = 1 << 20 // bytes
)

// expand replaces the references in a value of the section called name: by the key of that name in
// DefaultSection, else in the section itself, else by nothing. A value that refers to itself has no
// end; it becomes empty.
func (d *Document) expand(name, value string) string {
	e := expansion{doc: d, left: maxReferences}
	value, _ = e.expand(name, value)
	return value
}

// An expansion counts the references that are replaced, so that it comes to an end.
type expansion struct {
	doc  *Document
	left int
}

// expand reports whether the value has an end.
func (e *expansion) expand(name, value string) (string, bool) {
	for {
		ref := reference.FindString(value)
		if ref == "" {
			return value, true
		}
		e.left--
		if e.left < 0 {
			return "", false
		}
		other, ok := e.referenced(name, referenceKey(ref))
		value = strings.ReplaceAll(value, ref, other)
		if !ok || len(value) > maxExpanded {
			return "", false
		}
	}
}

func (e *expansion) referenced(name, key string) (string, bool) {
	if s := e.doc.sections[DefaultSection]; s != nil {
		if v, ok := s.values[key]; ok {
			return e.expand(DefaultSection, v)
		}
	}
	return e.doc.sections[name].values[key], true
}

// referenceKey returns the key that a reference names. As in rclone it loses every ) and s at its
// end, so that %(pass)s means the key pa: files that work there must mean the same here.
func referenceKey(ref string) string {
	return strings.TrimRight(strings.TrimLeft(ref, "%("), ")s")
}
