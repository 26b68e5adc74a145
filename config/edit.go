package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Draft is a document that is being edited. The original is not changed.
type Draft struct {
	*Document
}

// Edit returns a draft of the document.
func (d *Document) Edit() *Draft {
	draft := &Draft{&Document{bom: d.bom, lines: slices.Clone(d.lines)}}
	draft.mustIndex()
	return draft
}

// Set sets a key of a section: in place if the key exists, else after the last key of the section.
// A section that does not exist is added at the end. A value that the format cannot represent is
// refused: one with a line end, or with a reference %(key)s, which would be expanded.
func (d *Draft) Set(name, key, value string) error {
	if err := checkRemoteName(name); err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if err := checkValue(value); err != nil {
		return fmt.Errorf("option %s: %w", key, err)
	}
	if last := d.lastEntry(name, key); last >= 0 {
		d.dropEntries(name, key, last)
		d.replaceValue(d.lastEntry(name, key), value)
		return d.index()
	}
	if !isParamKey(key) {
		return fmt.Errorf("%q is not the name of an option: use letters, digits, dots and underscores", key)
	}
	if d.Has(name) {
		d.insert(d.endOfEntries(name), key+" = "+quoteValue(value))
		return d.index()
	}
	d.addSection(name)
	d.insert(len(d.lines), key+" = "+quoteValue(value))
	return d.index()
}

func checkValue(value string) error {
	switch {
	case strings.ContainsAny(value, "\r\n"):
		return errors.New("a value cannot hold a line end")
	case reference.MatchString(value):
		return errors.New("the value holds a %(...)s, which would be taken for a reference to another key and lost")
	}
	return nil
}

// DeleteKey removes a key from a section itself and reports whether it was there.
func (d *Draft) DeleteKey(name, key string) bool {
	if d.lastEntry(name, key) < 0 {
		return false
	}
	d.dropEntries(name, key, -1)
	d.mustIndex()
	return true
}

// DeleteSection removes every section of that name with its comments, including those directly
// above its header, and reports whether there was one.
func (d *Draft) DeleteSection(name string) bool {
	if !d.Has(name) {
		return false
	}
	var kept []line
	for _, block := range d.blocks() {
		if block.name != name {
			kept = append(kept, block.lines...)
			continue
		}
		kept = append(kept, block.detached()...)
	}
	d.lines = kept
	d.mustIndex()
	return true
}

// mustIndex is index after lines were removed, which cannot make a document invalid.
func (d *Draft) mustIndex() {
	if err := d.index(); err != nil {
		panic("config: a document without some lines is " + err.Error())
	}
}

// lastEntry returns the index of the line with the valid value of key, or -1.
func (d *Draft) lastEntry(name, key string) int {
	for i, l := range slices.Backward(d.lines) {
		if l.kind == lineEntry && l.section == name && l.key == key {
			return i
		}
	}
	return -1
}

// dropEntries removes the entries of a key, except the one at index keep.
func (d *Draft) dropEntries(name, key string, keep int) {
	i := -1
	d.lines = slices.DeleteFunc(d.lines, func(l line) bool {
		i++
		return i != keep && l.kind == lineEntry && l.section == name && l.key == key
	})
}

func (d *Draft) replaceValue(i int, value string) {
	l := &d.lines[i]
	raw := l.raw[:l.valueAt] + quoteValue(value) + lineEnd(l.raw)
	*l = line{raw: raw, kind: lineEntry, section: l.section, key: l.key, value: value, valueAt: l.valueAt}
}

// endOfEntries returns the index after the last header or entry of a section.
func (d *Draft) endOfEntries(name string) int {
	for i, l := range slices.Backward(d.lines) {
		if l.section == name && (l.kind == lineHeader || l.kind == lineEntry) {
			return i + 1
		}
	}
	return len(d.lines)
}

// addSection appends a header, with an empty line before it.
func (d *Draft) addSection(name string) {
	if n := len(d.lines); n > 0 && d.lines[n-1].kind != lineBlank {
		d.insert(n, "")
	}
	d.insert(len(d.lines), "["+name+"]")
}

// insert inserts a line at index i.
func (d *Draft) insert(i int, text string) {
	end := "\n"
	if len(d.lines) > 0 && lineEnd(d.lines[0].raw) != "" {
		end = lineEnd(d.lines[0].raw)
	}
	if i > 0 && lineEnd(d.lines[i-1].raw) == "" {
		d.lines[i-1].raw += end
	}
	l, err := parseLine(text + end)
	if err != nil {
		panic("config: a line that was made here is " + err.Error())
	}
	d.lines = slices.Insert(d.lines, i, l)
}

// lineEnd returns the line feed at the end of raw, including a carriage return before it.
func lineEnd(raw string) string {
	body := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
	if !strings.HasSuffix(raw, "\n") {
		return ""
	}
	return raw[len(body):]
}
