package main

import (
	"errors"
	"os"
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
		{name: "config", usage: "Configuration file, instead of the first that is found; an empty one or notfound is no file",
			value: func(o *options) pflag.Value { return configPathValue(&o.config.path) }},
		{name: "password-command", usage: "Command that prints the password of an encrypted configuration file",
			value: func(o *options) pflag.Value { return commandValue(&o.config.passwordCommand) }},
		{name: "ask-password", def: on, bare: on, usage: "Ask for the password of an encrypted configuration file on the terminal",
			value: func(o *options) pflag.Value { return boolValue(&o.config.askPassword) }},
	}
}

// checkExists returns an error when --config names a file that is not there. RCLONE_CONFIG may: rclone
// takes that for an empty file.
func (p process) checkExists(c configPath, f *config.File) error {
	env := config.ParseEnviron(p.env)
	ofRclone := env["FERRY_CONFIG"] == "" && env["RCLONE_CONFIG"] == c.path
	if c.given && f.Path() != "" && !f.Exists() && !ofRclone {
		return noConfigFile(f.Path())
	}
	return nil
}

// checkConfigPath is that check for a command that may need nothing of the file.
func checkConfigPath(fs *pflag.FlagSet) error {
	f := fs.Lookup("config")
	path, err := config.FilePath(f.Value.String())
	if !f.Changed || err != nil || path == "" {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return noConfigFile(path)
	}
	return nil
}

func noConfigFile(path string) error {
	return usagef("--config %q: there is no such file: correct the path, or make it with ferry config touch", path)
}

func configPathValue(p *configPath) pflag.Value {
	return &value[configPath]{p, "path", func(s string) (configPath, error) { return configPath{s, true}, nil }, func(c configPath) string { return c.path }}
}

// commandValue is a command line, split at spaces.
func commandValue(p *[]string) pflag.Value {
	return &value[[]string]{p, "command", config.ParseCommand, func(args []string) string { return strings.Join(args, " ") }}
}

// withConfig returns what a command runs that opens the configuration: run, after the flags are resolved. A file that
// --config names must be there.
func (p process) withConfig(o *options, run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return p.withNewConfig(o, func(cmd *cobra.Command, f *config.File, args []string) error {
		if err := p.checkExists(o.config.path, f); err != nil {
			return err
		}
		return run(cmd, f, args)
	})
}

// withNewConfig is withConfig for a command that makes the file.
func (p process) withNewConfig(o *options, run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
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
