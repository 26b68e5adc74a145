// Package flags knows the command line: every flag as a row of one table (table.go), the values
// that flags have, the variables that stand for them, and the errors of whoever types something
// else.
package flags

import "github.com/spf13/pflag"

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
				Hidden:      g.IsHidden(),
			})
		}
	}
}

// Resolve gives every flag of groups that the command line left out its value from the environment,
// else its default; see Sources.
func Resolve(fs *pflag.FlagSet, env []string, groups ...Group) error {
	_, err := Sources{Env: env}.Resolve(fs, groups...)
	return err
}
