package flags

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Given reports whether anything is to be left out.
func (o *FilterOptions) Given() bool {
	lists := slices.Concat(o.Include, o.IncludeFrom, o.Exclude, o.ExcludeFrom, o.Rules, o.RulesFrom, o.ExcludeIfPresent,
		o.FilesFrom, o.FilesFromRaw, o.FilesFrom0)
	return len(lists) > 0 || o.MaxDepth > 0 || o.HashPart != "" || o.MinSize > 0 || o.MaxSize >= 0 || Unlimited(o.MinAge) > 0 || Unlimited(o.MaxAge) > 0
}

// list is a list of texts of which each occurrence of the flag adds one, as it is: a comma may be
// part of a pattern.
func list(p *[]string, kind string) pflag.Value {
	v := &value[[]string]{p: p, kind: kind}
	v.parse = func(s string) ([]string, error) { return append(slices.Clip(*p), s), nil }
	v.format = func(l []string) string { return strings.Join(l, ",") }
	return &listFlag{v}
}

// files is a list of files. An empty name adds none.
func files(p *[]string) pflag.Value {
	v := list(p, kindFile).(*listFlag)
	add := v.parse
	v.parse = func(s string) ([]string, error) {
		if s == "" {
			return *p, nil
		}
		return add(s)
	}
	return v
}

// A listFlag is a list that an environment variable gives as a whole.
type listFlag struct{ *value[[]string] }

// SetAll sets the list to fields with commas between them, in quotes where a field has a comma or a
// quote of its own.
func (l *listFlag) SetAll(s string) error {
	*l.p = nil
	if s == "" {
		return nil
	}
	fields, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return errors.New("use texts with commas between them, in \" where they have commas of their own")
	}
	for _, field := range fields {
		if err := l.Set(field); err != nil {
			return err
		}
	}
	return nil
}
