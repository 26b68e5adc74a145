package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"runtime"

	"ferry/config"
)

// openConfig opens the configuration that the flags and the environment name, or that is found.
func (p process) openConfig(ctx context.Context, o *options) (*config.File, error) {
	f, err := config.Open(ctx, p.configPath(o), p.passwords(o))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return f, nil
}

// configPath returns the path of the configuration file, "" for none.
func (p process) configPath(o *options) string {
	if o.Config.Path.Given {
		return o.Config.Path.Path
	}
	env := config.ParseEnviron(p.env)
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

func (p process) passwords(o *options) config.Passwords {
	return config.Passwords{
		Command: o.Config.PasswordCommand,
		Env:     config.ParseEnviron(p.env),
		Stdin:   p.stdin,
		Stderr:  p.stderr,
		Prompt:  p.configPrompt(o),
	}
}
