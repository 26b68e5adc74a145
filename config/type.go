package config

import (
	"cmp"
	"slices"
	"strings"
)

// A Type describes the configuration of the remotes of one kind.
type Type struct {
	Name    string // value of the key type: s3, google cloud storage
	Prefix  string // of its flags and environment variables; "" is Name
	Help    string // one line
	Options []Option
	Notes   string // more of its help, lines that come behind the options; "" = none
}

// An Option is one setting of a type.
type Option struct {
	Name     string // in lower case, words joined by _
	Default  string
	Help     string
	Required bool // an empty value is an error
	Obscured bool // a password that is stored obscured in every source
	Secret   bool // stored in clear, but secret
	NoPrefix bool // its flag has no prefix of the type, its variable may
	Switch   bool // its flag needs no value; also implied by a default of true or false
	Twice    bool // a password that nothing checks: somebody who types it is asked twice

	// Choices are all values that there are, in any case of letters; nil = the rest says what they
	// are.
	Choices []string

	// Ignored is the reason why the option has no effect; setting it is a warning. "" = it has an
	// effect.
	Ignored string
}

// WithoutEffect begins the help of an option that is read and means nothing; the reason follows.
const WithoutEffect = "Accepted, and without effect: "

// NoEffect reports whether it makes no difference how o is set.
func (o Option) NoEffect() bool { return o.Ignored != "" || strings.HasPrefix(o.Help, WithoutEffect) }

// StandsAlone reports whether the flag of o without a value means true.
func (o Option) StandsAlone() bool { return o.Switch || o.Default == "true" || o.Default == "false" }

// description is an option of every type, without effect.
var description = Option{Name: "description", Help: "What the remote is, for those who read the configuration"}

// Settable returns the options that can be set: those of the type, and those of every type.
func (t Type) Settable() []Option { return append(slices.Clip(t.Options), description) }

// Option returns the option of that name.
func (t Type) Option(name string) (Option, bool) {
	for _, o := range t.Options {
		if o.Name == name {
			return o, true
		}
	}
	return description, name == description.Name
}

// Flag returns the name of the command line flag that sets o for all remotes of the type:
// s3-region.
func (t Type) Flag(o Option) string {
	name := strings.ReplaceAll(o.Name, "_", "-")
	if o.NoPrefix {
		return name
	}
	return t.prefix() + "-" + name
}

// Variable returns the name of the environment variable that sets o for all remotes of the type:
// RCLONE_S3_REGION.
func (t Type) Variable(o Option) string {
	return variable("RCLONE_", t.prefix()+"-"+o.Name)
}

// RemoteVariable returns the name of the environment variable that sets an option for one remote:
// RCLONE_CONFIG_NAS_HOST. Hyphens become underscores in the option only, so most shells cannot set
// the variable of a remote with a hyphen in its name.
func RemoteVariable(remote, option string) string {
	return "RCLONE_CONFIG_" + strings.ToUpper(remote) + variable("_", option)
}

func variable(prefix, name string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func (t Type) prefix() string { return cmp.Or(t.Prefix, t.Name) }

// is reports whether name is the name of this type, with or without spaces, or its prefix.
func (t Type) is(name string) bool {
	return name == t.Name || name == t.prefix() || name == strings.ReplaceAll(t.Name, " ", "")
}
