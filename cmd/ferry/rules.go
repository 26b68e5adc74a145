package main

import (
	"errors"
	"io"
	"os"

	"ferry/cmd/ferry/internal/flags"
	"ferry/remote/wrap/filter"
)

// parseFilter reads the rules that the flags give, nil where there are none. What is wrong with
// them is a usage error.
func (p process) parseFilter(o *flags.FilterOptions) (*filter.Filter, error) {
	if !o.Given() {
		return nil, nil
	}
	f, err := filter.Parse(filter.Options{
		Include: o.Include, IncludeFrom: o.IncludeFrom,
		Exclude: o.Exclude, ExcludeFrom: o.ExcludeFrom,
		Filter: o.Rules, FilterFrom: o.RulesFrom,
		ExcludeIfPresent: o.ExcludeIfPresent,
		FilesFrom:        o.FilesFrom, FilesFromRaw: o.FilesFromRaw, FilesFrom0: o.FilesFrom0,
		MaxDepth: o.MaxDepth, HashPart: o.HashPart,
		MinSize: int64(o.MinSize), MaxSize: int64(o.MaxSize),
		MinAge: flags.Unlimited(o.MinAge), MaxAge: flags.Unlimited(o.MaxAge),
		IgnoreCase: o.IgnoreCase,
		ReadFile:   p.readRules,
	})
	if err != nil {
		return nil, flags.Usagef("%w", err)
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
