package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/remote"
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

// hides returns the name of the place within a remote that is served, "" if it is not there.
func (o *options) hides(served remote.Info) string {
	if o.handover == nil {
		return ""
	}
	base, place := strings.TrimSuffix(served.Identity(), "/"), o.handover.remote.Info().Identity()
	name, below := strings.CutPrefix(place, base+"/")
	if !below || !remote.ValidPath(name) {
		return ""
	}
	return name
}

// hiding returns what leaves out a directory of the program's own.
func hiding(name string) *filter.Filter {
	quoted := ""
	for _, r := range name {
		if strings.ContainsRune(`\*?[]{}`, r) {
			quoted += `\`
		}
		quoted += string(r)
	}
	f, err := filter.Parse(filter.Options{Exclude: []string{"/" + quoted + "/**"}, MinSize: -1, MaxSize: -1})
	if err != nil {
		panic(err) // never: the pattern is right
	}
	return f
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
