package registry

import (
	"strings"

	"ferry/config"
)

// unused are options of rclone that mean nothing here, with the reason: a file that has them is
// served without a warning. An option that would change what is served is not among them. A name
// with ? behind is that of a switch.
func unused(why string, names ...string) []config.Option {
	var all []config.Option
	for _, name := range names {
		name, isSwitch := strings.CutSuffix(name, "?")
		all = append(all, config.Option{Name: name, Switch: isSwitch, Help: config.WithoutEffect + why})
	}
	return all
}

// ignored are options of rclone that would mean something, and do not here: setting them is a
// warning with the reason.
func ignored(why string, names ...string) []config.Option {
	all := unused(why, names...)
	for i := range all {
		all[i].Ignored = why
	}
	return all
}

// noPrefix are options whose flags lack the prefix of their type.
func noPrefix(options []config.Option) []config.Option {
	for i := range options {
		options[i].NoPrefix = true
	}
	return options
}

// together joins the options of a type and those without effect.
func together(options []config.Option, without ...[]config.Option) []config.Option {
	for _, w := range without {
		options = append(options, w...)
	}
	return options
}

const (
	noCommands = "no commands are run on the server"
	noPrompt   = "there is nobody to ask"
	noMemory   = "buffers are not kept"
	noTuning   = "files are copied and sent without it"

	noDecompress = "content is served as it is stored"
	noNames      = "names are served as they are"
)
