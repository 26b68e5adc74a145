package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/config"
)

const groupConfig = "Configuration"

// configOptions say where the configuration is and how it is opened.
type configOptions struct {
	path            configPath
	passwordCommand []string
	askPassword     bool
}

// A configPath is given when it was set, be it to nothing: then the configuration is in memory.
type configPath struct {
	path  string
	given bool
}

// configFlags are those of every command that reads the configuration.
func configFlags() []flag {
	return []flag{
		{name: "config", effect: true, usage: "Configuration file, instead of the first that is found; an empty one or notfound is no file",
			value: func(o *options) pflag.Value { return configPathValue(&o.config.path) }},
		{name: "password-command", effect: true, usage: "Command that prints the password of an encrypted configuration file",
			value: func(o *options) pflag.Value { return commandValue(&o.config.passwordCommand) }},
		{name: "ask-password", def: on, bare: on, effect: true, usage: "Ask for the password of an encrypted configuration file on the terminal",
			value: func(o *options) pflag.Value { return boolValue(&o.config.askPassword) }},
	}
}

func configPathValue(p *configPath) pflag.Value {
	return &value[configPath]{p, "path", func(s string) (configPath, error) { return configPath{s, true}, nil }, func(c configPath) string { return c.path }}
}

// commandValue is a command line, split at spaces.
func commandValue(p *[]string) pflag.Value {
	return &value[[]string]{p, "command", config.ParseCommand, func(args []string) string { return strings.Join(args, " ") }}
}

// withConfig returns what a command runs that opens the configuration: run, after the flags are resolved.
func (p process) withConfig(o *options, run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := resolveFlags(cmd.Flags(), configFlags(), p.env); err != nil {
			return err
		}
		f, err := p.openConfig(cmd.Context(), o)
		if err != nil {
			return err
		}
		return run(cmd, f, args)
	}
}
