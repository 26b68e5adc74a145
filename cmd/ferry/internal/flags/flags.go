// Package flags knows the command line: every flag as a row of one table (table.go), the values
// that flags have, the variables that stand for them, and the errors of whoever types something
// else.
package flags

import (
	"strings"

	"github.com/spf13/pflag"
)

// Add makes the rows of groups flags of fs. What the user leaves out gets its default from Resolve.
func Add(fs *pflag.FlagSet, groups ...Group) {
	for _, g := range groups {
		for _, row := range g.Flags {
			name, letter := row.name()
			fs.AddFlag(&pflag.Flag{
				Name:        name,
				Shorthand:   letter,
				Usage:       row.Usage,
				Value:       row.Value,
				DefValue:    row.Default,
				NoOptDefVal: row.bare(),
				Hidden:      g.isHidden(),
			})
		}
	}
}

// Resolve gives every flag of groups that the command line left out its value from the environment,
// else its default. FERRY_ADDR comes before RCLONE_ADDR; an empty variable counts as not set, and
// one of this program that sets nothing is an error.
func Resolve(fs *pflag.FlagSet, env []string, groups ...Group) error {
	vars := map[string]string{}
	for _, kv := range env {
		if k, v, ok := strings.Cut(kv, "="); ok && v != "" {
			vars[k] = v
		}
	}
	if err := checkVariables(vars); err != nil {
		return err
	}
	for _, g := range groups {
		for _, row := range g.Flags {
			if err := row.resolve(fs, vars); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f Flag) resolve(fs *pflag.FlagSet, vars map[string]string) error {
	name, _ := f.name()
	set := fs.Lookup(name)
	if set.Changed {
		return nil
	}
	if err := setFromEnv(set, vars); err != nil {
		return err
	}
	if set.Changed || f.Default == "" {
		return nil
	}
	if err := set.Value.Set(f.Default); err != nil {
		return badValue("the default of --"+name, f.Default, err)
	}
	return nil
}

func setFromEnv(f *pflag.Flag, vars map[string]string) error {
	for _, prefix := range []string{ownPrefix, rclonePrefix} {
		name := prefix + variableName(f.Name)
		if v, ok := vars[name]; ok {
			set := f.Value.Set
			if list, ok := f.Value.(*listFlag); ok {
				set = list.SetAll
			}
			if err := set(v); err != nil {
				return badValue(name+" (for --"+f.Name+")", v, err)
			}
			f.Changed = true
			return nil
		}
	}
	return nil
}
