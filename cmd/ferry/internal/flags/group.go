package flags

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A Flag is one row of the table: everything there is to know of a flag.
type Flag struct {
	Name    string // behind a slash the letter that is short for it
	Default string // what Resolve sets; "" = the value as it is
	Value   pflag.Value
	Usage   string
}

// A Group is what --help shows under one title.
type Group struct {
	Title string
	Flags []Flag
}

// Section is the name of the group in a file: its title in lower case, with hyphens.
func (g Group) Section() string { return strings.ReplaceAll(strings.ToLower(g.Title), " ", "-") }

// IsHidden reports whether --help leaves the group out.
func (g Group) IsHidden() bool { return g.Title == accepted || g.Title == refused }

// Only returns g with the flags of these names alone.
func (g Group) Only(names ...string) Group {
	g.Flags = slices.DeleteFunc(g.Flags, func(f Flag) bool { return !slices.Contains(names, f.Name) })
	return g
}

// name returns the name and the letter of f, which may be "".
func (f Flag) name() (name, letter string) {
	name, letter, _ = strings.Cut(f.Name, "/")
	return name, letter
}

// bare is what f means that stands alone; "" where it needs a value.
func (f Flag) bare() string {
	switch f.Value.Type() {
	case kindSwitch:
		return "true"
	case kindCount:
		return countOne
	}
	return ""
}
