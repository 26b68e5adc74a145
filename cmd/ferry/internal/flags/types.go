package flags

import (
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

func (v backendValue) Type() string { return "value" }

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
