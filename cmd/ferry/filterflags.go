package main

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/remote/filter"
)

const groupFilter = "Filter"

// filterOptions are the values of the flags that say which files and directories are served.
type filterOptions struct {
	include, includeFrom []string
	exclude, excludeFrom []string
	rules, rulesFrom     []string
	excludeIfPresent     []string
	filesFrom            []string
	filesFromRaw         []string
	filesFrom0           []string
	maxDepth             int
	hashPart             string
	minSize, maxSize     config.Size
	minAge, maxAge       time.Duration
	ignoreCase           bool
	blockNormDupes       bool
}

func filterFlags() []flag {
	return []flag{
		{name: "include", usage: "Serve what matches this pattern, and nothing that no rule includes. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.include, "pattern") }},
		{name: "include-from", usage: "Read patterns to include from this file, - for standard input. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.includeFrom, "file") }},
		{name: "exclude", usage: "Leave out what matches this pattern. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.exclude, "pattern") }},
		{name: "exclude-from", usage: "Read patterns to exclude from this file, - for standard input. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.excludeFrom, "file") }},
		{name: "filter", short: "f", usage: "Include (\"+ pattern\") or leave out (\"- pattern\"). May be repeated; the first rule that matches decides",
			value: func(o *options) pflag.Value { return listValue(&o.filter.rules, "rule") }},
		{name: "filter-from", usage: "Read rules as those of --filter from this file, - for standard input. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.rulesFrom, "file") }},
		{name: "exclude-if-present", usage: "Leave out directories that hold a file of this name, or with a slash behind it a directory. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.excludeIfPresent, "name") }},
		{name: "files-from", usage: "Serve only the files that are named in this file, - for standard input; it excludes the other filters. May be repeated",
			value: func(o *options) pflag.Value { return listValue(&o.filter.filesFrom, "file") }},
		{name: "files-from-raw", usage: "The same with lines taken as they are, without remarks",
			value: func(o *options) pflag.Value { return listValue(&o.filter.filesFromRaw, "file") }},
		{name: "files-from0", usage: "The same with names that end with a NUL",
			value: func(o *options) pflag.Value { return listValue(&o.filter.filesFrom0, "file") }},
		{name: "max-depth", def: "-1", usage: "Serve only so many levels of directories and files; 0 and below is no limit",
			value: func(o *options) pflag.Value { return intValue(&o.filter.maxDepth) }},
		{name: "hash-filter", usage: "Serve part K of N parts, into which files fall by their names: K/N, or @/N for any",
			value: func(o *options) pflag.Value { return textValue(&o.filter.hashPart) }},
		{name: "min-size", def: "off", usage: "Leave out files that are smaller",
			value: func(o *options) pflag.Value { return sizeValue(&o.filter.minSize) }},
		{name: "max-size", def: "off", usage: "Leave out files that are larger",
			value: func(o *options) pflag.Value { return sizeValue(&o.filter.maxSize) }},
		{name: "min-age", def: "off", usage: "Leave out files that were modified since then",
			value: func(o *options) pflag.Value { return durationValue(&o.filter.minAge) }},
		{name: "max-age", def: "off", usage: "Leave out files that were not modified since then",
			value: func(o *options) pflag.Value { return durationValue(&o.filter.maxAge) }},
		{name: "ignore-case", def: "false", bare: on, usage: "Match patterns in upper and lower case alike",
			value: func(o *options) pflag.Value { return boolValue(&o.filter.ignoreCase) }},
	}
}

// given reports whether anything is to be left out.
func (o *filterOptions) given() bool {
	lists := slices.Concat(o.include, o.includeFrom, o.exclude, o.excludeFrom, o.rules, o.rulesFrom, o.excludeIfPresent,
		o.filesFrom, o.filesFromRaw, o.filesFrom0)
	return len(lists) > 0 || o.maxDepth > 0 || o.hashPart != "" || o.minSize > 0 || o.maxSize >= 0 || unlimited(o.minAge) > 0 || unlimited(o.maxAge) > 0
}

// parseFilter reads the rules that the flags give, nil where there are none. What is wrong with them is a usage error.
func (p process) parseFilter(o *filterOptions) (*filter.Filter, error) {
	if !o.given() {
		return nil, nil
	}
	f, err := filter.Parse(filter.Options{
		Include: o.include, IncludeFrom: o.includeFrom,
		Exclude: o.exclude, ExcludeFrom: o.excludeFrom,
		Filter: o.rules, FilterFrom: o.rulesFrom,
		ExcludeIfPresent: o.excludeIfPresent,
		FilesFrom:        o.filesFrom, FilesFromRaw: o.filesFromRaw, FilesFrom0: o.filesFrom0,
		MaxDepth: o.maxDepth, HashPart: o.hashPart,
		MinSize: int64(o.minSize), MaxSize: int64(o.maxSize),
		MinAge: unlimited(o.minAge), MaxAge: unlimited(o.maxAge),
		IgnoreCase: o.ignoreCase,
		ReadFile:   p.readRules,
	})
	if err != nil {
		return nil, usageError{err}
	}
	return f, nil
}

// readRules returns what is in a file of rules; - is standard input.
func (p process) readRules(name string) (string, error) {
	if name != "-" {
		b, err := os.ReadFile(name)
		if pathErr := new(os.PathError); errors.As(err, &pathErr) {
			err = pathErr.Err // the name is in front of it already
		}
		return string(b), err
	}
	if p.stdin == nil {
		return "", nil
	}
	b, err := io.ReadAll(p.stdin)
	return string(b), err
}

// listValue is a list of texts of which each occurrence of the flag adds one, as it is: a comma may be part of a pattern.
func listValue(p *[]string, kind string) pflag.Value {
	v := &value[[]string]{p: p, kind: kind}
	v.parse = func(s string) ([]string, error) { return append(slices.Clip(*p), s), nil }
	v.format = func(l []string) string { return strings.Join(l, ",") }
	return &listFlag{v}
}

// A listFlag is a list that an environment variable gives as a whole.
type listFlag struct{ *value[[]string] }

// SetAll sets the list to fields with commas between them, in quotes where a field has a comma or a quote of its own.
func (l *listFlag) SetAll(s string) error {
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return errors.New("use texts with commas between them, in \" where they have commas of their own")
	}
	*l.p = fields
	return nil
}
