package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// installTime is how long an installation may take.
const installTime = 5 * time.Minute

// NodePackages returns the directory node_modules of what the lock file in the directory from
// names: packages of npm, with their checksums. They are installed once and kept in the user's
// cache under the name as, which changes with them.
func NodePackages(ctx context.Context, as, from string) (string, error) {
	return install(ctx, as, func(dir string) error { return os.CopyFS(dir, os.DirFS(from)) }, "ci")
}

// install has npm install into a directory that prepare has filled, and returns its node_modules.
// That is kept in the user's cache.
func install(ctx context.Context, as string, prepare func(dir string) error, command ...string) (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%s is missing", program)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", errors.New("there is no cache directory to install it in")
	}
	dir := filepath.Join(cache, "ferry-test", as)
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := prepare(fresh); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", append(command, "--prefix", fresh, "--no-audit", "--no-fund", "--omit=dev",
		"--loglevel=error")...)
	if output, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot install it: %w: %s", err, output)
	}
	// Who is second finds the directory there, and uses that one.
	if err := os.Rename(fresh, dir); err != nil {
		if _, err := os.Stat(modules); err != nil {
			return "", err
		}
	}
	return modules, nil
}
