package flags

import (
	"slices"

	"github.com/spf13/pflag"

	"ferry/registry"
)

// backendValue is the flag of an option that a type of remote has. Its text is read when a remote
// of that type is opened.
type backendValue struct {
	given map[string]string
	name  string
	def   string
}

func (v backendValue) String() string {
	if s, ok := v.given[v.name]; ok {
		return s
	}
	return v.def
}

func (v backendValue) Set(s string) error {
	v.given[v.name] = s
	return nil
}

func (v backendValue) Type() string { return kindAny }

// AddOfTypes adds a flag for every option of every type, as --s3-region. They go before the
// configuration file for all remotes of that type. Help does not show them: "ferry help backend s3"
// does.
func AddOfTypes(fs *pflag.FlagSet, o *Options) {
	if o.Backend == nil { // several commands have them
		o.Backend = map[string]string{}
	}
	for _, t := range registry.Types() {
		for _, opt := range t.Settable() {
			name := t.Flag(opt)
			if fs.Lookup(name) != nil {
				continue // a flag of this program, or of two types
			}
			f := fs.VarPF(backendValue{o.Backend, name, opt.Default}, name, "", opt.Help)
			f.Hidden = true
			if opt.StandsAlone() {
				f.NoOptDefVal = "true"
			}
		}
	}
}

// Backend returns the names of the flags that AddOfTypes adds.
func Backend() []string {
	var names []string
	for _, t := range registry.Types() {
		for _, opt := range t.Settable() {
			names = append(names, t.Flag(opt))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// BackendFlag returns a row for one of them, by which a file is read. Their values are texts, of
// which a file may write numbers and switches as such.
func BackendFlag(name string) Flag {
	return Flag{Name: name, Value: backendValue{given: map[string]string{}, name: name}, Usage: name}
}
