package flags

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Sources are where flags get their values from that the command line leaves out. FERRY_ADDR comes
// before RCLONE_ADDR, and both before the file. An empty variable counts as not set, and one of
// this program that sets nothing is an error.
type Sources struct {
	Env  []string        // KEY=value
	File map[string]Said // by name of the flag; nil = no file
}

// A Said is what a file says of a flag: a text for each time that it would stand on the command
// line.
type Said struct {
	Texts []string
	File  string
	Line  int
}

// Where is the place in the file.
func (s Said) Where() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// An Origin says where the value of a flag comes from.
type Origin struct {
	By   string // flag, variable, file or default
	Name string // of the variable, or place in the file; "" of others
}

// String is for people.
func (o Origin) String() string {
	switch o.By {
	case ByVariable, ByFile:
		return o.Name
	}
	return o.By
}

// Where values come from.
const (
	ByFlag     = "flag"
	ByVariable = "variable"
	ByFile     = "file"
	ByDefault  = "default"
)

// Resolve gives every flag of groups that the command line left out its value, else its default. It
// returns where each value comes from.
func (s Sources) Resolve(fs *pflag.FlagSet, groups ...Group) (map[string]Origin, error) {
	vars := map[string]string{}
	for _, kv := range s.Env {
		if k, v, ok := strings.Cut(kv, "="); ok && v != "" {
			vars[k] = v
		}
	}
	if err := checkVariables(vars); err != nil {
		return nil, err
	}
	origins := map[string]Origin{}
	for _, g := range groups {
		for _, row := range g.Flags {
			o, err := s.resolve(row, fs, vars)
			if err != nil {
				return nil, err
			}
			origins[row.Key()] = o
		}
	}
	return origins, s.resolveOthers(fs, vars, origins)
}

func (s Sources) resolve(f Flag, fs *pflag.FlagSet, vars map[string]string) (Origin, error) {
	set := fs.Lookup(f.Key())
	if set.Changed {
		return Origin{By: ByFlag}, nil
	}
	if name, err := setFromEnv(set, vars); name != "" {
		return Origin{ByVariable, name}, err
	}
	if said, ok := s.File[set.Name]; ok {
		return Origin{ByFile, said.Where()}, said.set(set)
	}
	if f.Default == "" {
		return Origin{By: ByDefault}, nil
	}
	if err := set.Value.Set(f.Default); err != nil {
		return Origin{}, badValue("the default of --"+set.Name, f.Default, err)
	}
	return Origin{By: ByDefault}, nil
}

// resolveOthers sets the flags of types of remotes that the file has. Their variables are read when
// a remote is opened, and go before the file all the same.
func (s Sources) resolveOthers(fs *pflag.FlagSet, vars map[string]string, origins map[string]Origin) error {
	for name, said := range s.File {
		set := fs.Lookup(name)
		if _, done := origins[name]; done || set == nil || set.Changed || vars[rclonePrefix+variableName(name)] != "" {
			continue
		}
		origins[name] = Origin{ByFile, said.Where()}
		if err := said.set(set); err != nil {
			return err
		}
	}
	return nil
}

func (s Said) set(f *pflag.Flag) error {
	for _, text := range s.Texts {
		if err := f.Value.Set(text); err != nil {
			return badValue(s.Where()+": "+f.Name, text, err)
		}
	}
	f.Changed = true
	return nil
}

// Try reports what is wrong with texts that a file has for the flag, without the value where that
// may be a secret. The flag has that value afterwards.
func (f Flag) Try(texts []string) error {
	for _, text := range texts {
		if err := f.Value.Set(text); err != nil {
			if f.IsSecret() {
				return err
			}
			return fmt.Errorf("%q: %w", text, err)
		}
	}
	return nil
}
