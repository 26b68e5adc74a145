package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultSection is the section of the keys before the first [section]. Only references %(key)s use
// it.
const DefaultSection = "DEFAULT"

// A Document is the text of a configuration file in the INI dialect of rclone: a [section] for each
// remote, key = value below it, comments on lines of their own. Unedited parts keep their bytes,
// order and comments.
type Document struct {
	bom   bool // whether the text begins with a byte order mark
	lines []line

	// Made from lines by index.
	order    []string
	sections map[string]*section
}

type section struct {
	keys   []string
	values map[string]string
}

const bom = "\ufeff"

// ParseDocument reads a configuration. An error contains the line number but nothing of the line,
// which may be a secret.
//
// Of several entries with the same key the last one is used, even across several [section] of the
// same name. The key - stands for #1, #2 and so on, counted from each header.
func ParseDocument(text []byte) (*Document, error) {
	d := &Document{}
	s := string(text)
	s, d.bom = strings.CutPrefix(s, bom)
	n := 0
	for raw := range strings.Lines(s) {
		n++
		l, err := parseLine(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		d.lines = append(d.lines, l)
	}
	if err := d.index(); err != nil {
		return nil, err
	}
	return d, nil
}

// index computes the section of every line, and the keys and values of every section.
func (d *Document) index() error {
	d.order, d.sections = nil, map[string]*section{}
	name, number := DefaultSection, 1
	for i := range d.lines {
		l := &d.lines[i]
		switch l.kind {
		case lineHeader:
			name, number = l.section, 1
			if name != "" {
				d.section(name)
			}
		case lineEntry:
			if name == "" {
				return fmt.Errorf("line %d: %w", i+1, errors.New("it belongs to a section without a name"))
			}
			l.section = name
			if l.key == "-" {
				l.key = "#" + strconv.Itoa(number)
				number++
			}
			if l.key != "" {
				d.section(name).set(l.key, l.value)
			}
		default:
			l.section = name
		}
	}
	return nil
}

// section returns the section of that name, made if need be.
func (d *Document) section(name string) *section {
	s := d.sections[name]
	if s == nil {
		s = &section{values: map[string]string{}}
		d.sections[name] = s
		d.order = append(d.order, name)
	}
	return s
}

// set adds an entry. A key of one space is ignored: rclone uses it otherwise.
func (s *section) set(key, value string) {
	if key == " " {
		return
	}
	if _, ok := s.values[key]; !ok {
		s.keys = append(s.keys, key)
	}
	s.values[key] = value
}

// Sections returns the names of all sections in the order of the file. They include DefaultSection
// if it has keys.
func (d *Document) Sections() []string { return slices.Clone(d.order) }

// Has reports whether there is a section of that name.
func (d *Document) Has(name string) bool { return d.sections[name] != nil }

// Keys returns the keys of a section itself, in the order of the file.
func (d *Document) Keys(name string) []string {
	if s := d.sections[name]; s != nil {
		return slices.Clone(s.keys)
	}
	return nil
}

// Get returns the value of a key, its references %(key)s expanded. A key that section a.b does not
// have is looked up in section a. An empty value counts as not set: see Sources.
func (d *Document) Get(name, key string) (string, bool) {
	for {
		s := d.sections[name]
		if s == nil {
			return "", false
		}
		if v, ok := s.values[key]; ok {
			return d.expand(name, v), true
		}
		parent, ok := parentOf(name)
		if !ok {
			return "", false
		}
		name = parent
	}
}

// parentOf returns the section that has what a section lacks.
func parentOf(name string) (string, bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", false
	}
	return cmp.Or(name[:dot], DefaultSection), true
}

// own returns the value that a section itself has, without those that it inherits and without what
// its references mean.
func (d *Document) own(section, key string) (string, bool) {
	s := d.sections[section]
	if s == nil {
		return "", false
	}
	value, ok := s.values[key]
	return value, ok
}

// Section returns the section in which the value of a key stands that Get returns, "" for none, and
// for a value that is made of others.
func (d *Document) Section(name, key string) string {
	for {
		s := d.sections[name]
		if s == nil {
			return ""
		}
		if v, ok := s.values[key]; ok {
			if reference.MatchString(v) {
				return ""
			}
			return name
		}
		parent, ok := parentOf(name)
		if !ok {
			return ""
		}
		name = parent
	}
}

// Bytes returns the text of the document.
func (d *Document) Bytes() []byte {
	var b strings.Builder
	if d.bom {
		b.WriteString(bom)
	}
	for _, l := range d.lines {
		b.WriteString(l.raw)
	}
	return []byte(b.String())
}
