package config

import (
	"regexp"
	"strings"
)

// reference is %(key)s, a reference to the value of another key.
var reference = regexp.MustCompile(`%\([^)]+\)s`)

const (
	maxReferences = 1000    // replaced for one value
	maxExpanded   = 1 << 20 // bytes
)

// expand replaces the references in a value of the section name: by the key in DefaultSection, else
// in the section itself, else by nothing. A value that refers to itself becomes empty.
func (d *Document) expand(name, value string) string {
	e := expansion{doc: d, left: maxReferences}
	value, _ = e.expand(name, value)
	return value
}

// An expansion counts the replaced references, so that it terminates.
type expansion struct {
	doc  *Document
	left int
}

// expand reports whether the expansion terminates.
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

// referenceKey returns the key of a reference. As in rclone, every trailing ) and s is removed, so
// that %(pass)s means the key pa: files for rclone must mean the same here.
func referenceKey(ref string) string {
	return strings.TrimRight(strings.TrimLeft(ref, "%("), ")s")
}
