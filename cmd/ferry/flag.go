package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// addFlags makes the rows flags of fs that set o. What the user leaves out gets its default from resolveFlags.
func addFlags(fs *pflag.FlagSet, rows []flag, o *options) {
	for _, row := range rows {
		fs.AddFlag(&pflag.Flag{
			Name:        row.name,
			Shorthand:   row.short,
			Usage:       row.usage,
			Value:       row.value(o),
			DefValue:    row.def,
			NoOptDefVal: row.bare,
			Hidden:      row.isHidden(),
		})
	}
}

// resolveFlags gives every flag that the command line left out its value from the environment, else its default.
// FERRY_ADDR comes before RCLONE_ADDR; an empty variable counts as not set, and one of this program
// that sets nothing is an error.
func resolveFlags(fs *pflag.FlagSet, rows []flag, env []string) error {
	vars := map[string]string{}
	for _, kv := range env {
		if k, v, ok := strings.Cut(kv, "="); ok && v != "" {
			vars[k] = v
		}
	}
	if err := checkVariables(vars); err != nil {
		return err
	}
	for _, row := range rows {
		f := fs.Lookup(row.name)
		if f.Changed {
			continue
		}
		if err := setFromEnv(f, vars); err != nil {
			return err
		}
		if f.Changed || row.def == "" {
			continue
		}
		if err := f.Value.Set(row.def); err != nil {
			return badValue("the default of --"+row.name, row.def, err)
		}
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

// isHidden reports whether --help leaves a flag out.
func (f flag) isHidden() bool { return f.group == groupAccepted || f.group == groupRefused }
