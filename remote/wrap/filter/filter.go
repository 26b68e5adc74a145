// Package filter is a decorator that leaves files and directories out of a remote, by the rules
// that rclone has for it.
//
// What is left out does not exist: it is neither listed nor read nor changed, and lookups answer
// remote.ErrNotExist. Making something that would be left out by its name is remote.ErrBadName,
// before a byte is taken, with a Hint that names the flag. Size and age leave files out that are
// there; they forbid nobody to store one.
//
// Another policy (NewDistinct) leaves out names of which people see two alike.
package filter

import (
	"fmt"
	"strings"
	"time"

	"ferry/remote"
)

// Options are what to leave out, as the flags of the same names say it. Rules count in the order of
// the first six fields, the first that matches a name decides, and what none matches is included.
type Options struct {
	Include, IncludeFrom []string // patterns, and files of them; either excludes everything that no rule includes
	Exclude, ExcludeFrom []string
	Filter, FilterFrom   []string // rules: "+ pattern", "- pattern", "!"

	// ExcludeIfPresent are names of files, or with a slash behind of directories, that exclude the
	// directory they are in.
	ExcludeIfPresent []string

	MinSize, MaxSize int64         // of files in bytes; below 0 = no limit. A size that is not known is below every MinSize.
	MinAge, MaxAge   time.Duration // of files since they were modified; 0 = no limit. An unknown time is older than any.

	IgnoreCase bool // patterns match in any case

	// FilesFrom are files of names, of which only these files exist, whatever else is said. Lines
	// are trimmed, and remarks left out, unless they are Raw; in FilesFrom0 names end with a NUL.
	FilesFrom, FilesFromRaw, FilesFrom0 []string

	MaxDepth int    // how many elements a name may have; 0 or less = no limit
	HashPart string // "k/n": of n parts, into which files fall by the hash of their name, the one that exists; "" = all

	// ReadFile returns what the files that the fields with From name hold. It is only called by
	// Parse.
	ReadFile func(name string) (string, error)
}

// A Filter is what Options say, ready to be applied.
type Filter struct {
	rules   rules
	listed  *listed // nil without FilesFrom
	part    part
	options Options
}

// Parse makes a Filter of o. Its errors name the flag.
func Parse(o Options) (*Filter, error) {
	f := &Filter{rules: rules{ignoreCase: o.IgnoreCase}, options: o}
	if o.MaxSize >= 0 && o.MinSize > o.MaxSize {
		return nil, fmt.Errorf("--min-size is larger than --max-size: there can be no such file")
	}
	if o.MaxAge > 0 && o.MinAge > o.MaxAge {
		return nil, fmt.Errorf("--min-age is longer than --max-age: there can be no such file")
	}
	var err error
	if f.listed, err = readListed(&o); err != nil {
		return nil, err
	}
	if f.part, err = parsePart(o.HashPart); err != nil {
		return nil, err
	}
	include := func(pattern, flag string) error { return f.rules.add(true, pattern, flag) }
	exclude := func(pattern, flag string) error { return f.rules.add(false, pattern, flag) }
	for _, step := range []struct {
		flag   string
		values []string
		add    func(text, flag string) error
	}{
		{"--include", o.Include, include},
		{"--include-from", o.IncludeFrom, f.eachLine(include)},
		{"--exclude", o.Exclude, exclude},
		{"--exclude-from", o.ExcludeFrom, f.eachLine(exclude)},
		{"--filter", o.Filter, f.rules.addRule},
		{"--filter-from", o.FilterFrom, f.eachLine(f.rules.addRule)},
	} {
		for _, text := range step.values {
			if err := step.add(text, step.flag); err != nil {
				return nil, err
			}
		}
	}
	for flag, given := range map[string]bool{"--include": len(o.Include) > 0, "--include-from": len(o.IncludeFrom) > 0} {
		if given {
			return f, exclude("/**", flag)
		}
	}
	return f, nil
}

// eachLine returns a function that applies add to the lines of a file.
func (f *Filter) eachLine(add func(text, flag string) error) func(name, flag string) error {
	return func(name, flag string) error {
		text, err := f.options.ReadFile(name)
		if err != nil {
			return fmt.Errorf("%s %q: %w", flag, name, err)
		}
		for _, line := range lines(text) {
			if err := add(line, flag); err != nil {
				return fmt.Errorf("%s %q: %w", flag, name, err)
			}
		}
		return nil
	}
}

// file returns what the rules say of a file called name: that of the directories it is in comes
// first.
func (f *Filter) file(name string) verdict {
	dir, _ := remote.Split(name)
	if v := f.dir(dir); v != included {
		return v
	}
	return f.ofFile(name)
}

// ofFile returns what is said of a file called name, whatever is said of the directories it is in.
func (f *Filter) ofFile(name string) verdict {
	switch {
	case f.tooDeep(name):
		return depthFlag
	case f.listed != nil:
		return f.listed.decide(f.listed.files, name)
	case !f.part.has(name):
		return partFlag
	}
	return decide(f.rules.files, name)
}

// ofDir returns what is said of a directory called name, whatever is said of those above.
func (f *Filter) ofDir(name string) verdict {
	switch {
	case f.tooDeep(name):
		return depthFlag
	case f.listed != nil:
		return f.listed.decide(f.listed.dirs, name)
	}
	return decide(f.rules.dirs, name+"/")
}

func (f *Filter) tooDeep(name string) bool {
	return f.options.MaxDepth > 0 && strings.Count(name, "/") >= f.options.MaxDepth
}

// dir returns what the rules say of a directory called name. The root is always there.
func (f *Filter) dir(name string) verdict {
	if name == "." || len(f.rules.dirs) == 0 && f.listed == nil && f.options.MaxDepth <= 0 {
		return included
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '/' {
			if v := f.ofDir(name[:i]); v != included {
				return v
			}
		}
	}
	return f.ofDir(name)
}

// measured reports whether files are left out by their size or age.
func (f *Filter) measured() bool {
	o := &f.options
	if f.listed != nil {
		return false // what is named exists, whatever its size
	}
	return o.MinSize > 0 || o.MaxSize >= 0 || o.MinAge > 0 || o.MaxAge > 0
}

// fits reports whether size and age of a file are within the limits.
func (f *Filter) fits(e remote.Entry) bool {
	o := &f.options
	if e.Dir || e.Part != "" || !f.measured() {
		return true
	}
	age := time.Since(e.ModTime)
	switch {
	case o.MinSize > 0 && e.Size < o.MinSize, o.MaxSize >= 0 && e.Size > o.MaxSize:
		return false
	case o.MinAge > 0 && age < o.MinAge, o.MaxAge > 0 && age > o.MaxAge:
		return false
	}
	return true
}
