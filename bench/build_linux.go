package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// installed returns a program of a Go module in that version. It is built once per machine, when
// -fetch allows to download it, and stays in the user's cache, where the tests of package
// remotetest look too.
func (b *bench) installed(ctx context.Context, module, version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := filepath.Base(module)
	dir := filepath.Join(cache, "ferry-test", name+"-"+version)
	program := filepath.Join(dir, name)
	if isFile(program) {
		return program, nil
	}
	if !b.opt.fetch {
		return "", fmt.Errorf("%s is not built; -fetch builds it", name)
	}
	b.log.Info("building, which takes minutes", "module", module, "version", version)
	cmd := exec.CommandContext(ctx, "go", "install", module+"@"+version)
	cmd.Dir = os.TempDir() // no module may change the versions
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if _, err := output(cmd); err != nil {
		return "", err
	}
	return program, nil
}
