package all

import "ferry/config"

// unused are options of rclone that mean nothing here, with the reason: a file that has them is served without a warning.
// An option that would change what is served is not among them.
func unused(why string, names ...string) []config.Option {
	var all []config.Option
	for _, name := range names {
		all = append(all, config.Option{Name: name, Help: "Accepted, and without effect: " + why})
	}
	return all
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
)
