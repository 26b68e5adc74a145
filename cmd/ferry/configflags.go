package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

// checkExists returns an error when --config names a file that is not there. RCLONE_CONFIG may: rclone
// takes that for an empty file.
func (p process) checkExists(c flags.ConfigPath, f *config.File) error {
	env := config.ParseEnviron(p.env)
	ofRclone := env["FERRY_CONFIG"] == "" && env["RCLONE_CONFIG"] == c.Path
	if c.Given && f.Path() != "" && !f.Exists() && !ofRclone {
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
	return flags.Usagef("--config %q: there is no such file: correct the path, or make it with ferry config touch", path)
}

// withConfig returns what a command runs that opens the configuration: run, after the flags are resolved. A file that
// --config names must be there.
func (p process) withConfig(o *options, run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return p.withNewConfig(o, func(cmd *cobra.Command, f *config.File, args []string) error {
		if err := p.checkExists(o.Config.Path, f); err != nil {
			return err
		}
		return run(cmd, f, args)
	})
}

// withNewConfig is withConfig for a command that makes the file.
func (p process) withNewConfig(o *options, run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := flags.Resolve(cmd.Flags(), p.env, flags.Config(&o.Options)); err != nil {
			return err
		}
		f, err := p.openConfig(cmd.Context(), o)
		if err != nil {
			return err
		}
		return run(cmd, f, args)
	}
}
