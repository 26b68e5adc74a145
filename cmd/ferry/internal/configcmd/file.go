package configcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

// Open opens the configuration that the flags and the environment name, or that is found.
func (c *Console) Open(ctx context.Context) (*config.File, error) {
	f, err := config.Open(ctx, c.Path(), c.passwords())
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	f.LockWith(lockFile)
	return f, nil
}

// Path returns the path of the configuration file, "" for none.
func (c *Console) Path() string {
	if c.Flags.Config.Path.Given {
		return c.Flags.Config.Path.Path
	}
	env := config.ParseEnviron(c.Env)
	for _, name := range []string{"FERRY_CONFIG", "RCLONE_CONFIG"} {
		if _, ok := env[name]; ok {
			return "" // the flag would have been given, were there a path
		}
	}
	places := config.Places{Home: env["HOME"], Env: env, Windows: runtime.GOOS == "windows"}
	if u, err := user.Current(); places.Home == "" && err == nil {
		places.Home = u.HomeDir
	}
	if path, err := os.Executable(); err == nil {
		places.Executable = path
	}
	return config.Locate(places)
}

func (c *Console) passwords() config.Passwords {
	return config.Passwords{
		Command: c.Flags.Config.PasswordCommand,
		Env:     config.ParseEnviron(c.Env),
		Stdin:   c.Stdin,
		Stderr:  c.Stderr,
		Prompt:  c.configPrompt(),
	}
}

// CheckExists returns an error when --config names a file that is not there. RCLONE_CONFIG may:
// rclone takes that for an empty file.
func (c *Console) CheckExists(f *config.File) error {
	env, path := config.ParseEnviron(c.Env), c.Flags.Config.Path
	ofRclone := env["FERRY_CONFIG"] == "" && env["RCLONE_CONFIG"] == path.Path
	if path.Given && f.Path() != "" && !f.Exists() && !ofRclone {
		return noConfigFile(f.Path())
	}
	return nil
}

// CheckPath is that check for a command that may need nothing of the file.
func CheckPath(fs *pflag.FlagSet) error {
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

// withConfig returns what a command runs that opens the configuration: run, after the flags are
// resolved. A file that --config names must be there.
func (c *Console) withConfig(run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return c.withNewConfig(func(cmd *cobra.Command, f *config.File, args []string) error {
		if err := c.CheckExists(f); err != nil {
			return err
		}
		return run(cmd, f, args)
	})
}

// withNewConfig is withConfig for a command that makes the file.
func (c *Console) withNewConfig(run func(cmd *cobra.Command, f *config.File, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := flags.Resolve(cmd.Flags(), c.Env, flags.Config(c.Flags)); err != nil {
			return err
		}
		f, err := c.Open(cmd.Context())
		if err != nil {
			return err
		}
		return run(cmd, f, args)
	}
}
