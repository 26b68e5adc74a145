package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An install is where the files of a peer are.
type install struct {
	root string // prefix of /usr/...; "" for the system itself
	bin  string // its main program
}

// locate finds a program that is installed, or unpacks the Debian packages that bring it. Packages
// of FTP servers exclude each other, so none of them is installed: each is unpacked with the
// libraries it lacks into a directory of its own.
func (b *bench) locate(ctx context.Context, file string, packages ...string) (install, error) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"} {
		if bin := filepath.Join(dir, filepath.Base(file)); isFile(bin) {
			return install{bin: bin}, nil
		}
	}
	return b.unpacked(ctx, file, packages...)
}

// unpacked returns the root that holds file out of packages, and fetches them when asked to.
func (b *bench) unpacked(ctx context.Context, file string, packages ...string) (install, error) {
	root, err := filepath.Abs(filepath.Join(workDir, packages[0]))
	if err != nil {
		return install{}, err
	}
	in := install{root: root, bin: filepath.Join(root, file)}
	if isFile(in.bin) {
		return in, nil
	}
	if !b.opt.fetch {
		return install{}, errNotFetched
	}
	b.log.Info("fetching", "packages", packages)
	if err := fetch(ctx, root, packages); err != nil {
		return install{}, err
	}
	if !isFile(in.bin) {
		return install{}, fmt.Errorf("no %s in packages %s", file, strings.Join(packages, ", "))
	}
	return in, nil
}

// env is the environment in which programs and libraries below the root find each other.
func (in install) env() []string {
	if in.root == "" {
		return nil
	}
	var libs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		dirs, _ := filepath.Glob(filepath.Join(in.root, pattern)) // the pattern is well formed
		libs = append(libs, dirs...)
	}
	return []string{
		"LD_LIBRARY_PATH=" + strings.Join(libs, ":"),
		"PYTHONPATH=" + filepath.Join(in.root, "usr/lib/python3/dist-packages"),
	}
}

// fetch downloads packages with whatever they need and is not installed, and unpacks all of it into
// root.
func fetch(ctx context.Context, root string, packages []string) error {
	args := append([]string{"install", "--simulate", "--no-install-recommends"}, packages...)
	plan, err := output(exec.CommandContext(ctx, "apt-get", args...))
	if err != nil {
		return fmt.Errorf("%w (apt-get update first?)", err)
	}
	var names []string
	for line := range strings.Lines(plan) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Inst" {
			names = append(names, f[1])
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: installed, but its program is not where it was looked for", strings.Join(packages, ", "))
	}
	debs, err := os.MkdirTemp("", "ferry-bench-debs")
	if err != nil {
		return err
	}
	defer os.RemoveAll(debs)
	get := exec.CommandContext(ctx, "apt-get", append([]string{"download"}, names...)...)
	get.Dir = debs
	if _, err := output(get); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := output(exec.CommandContext(ctx, "dpkg", "-x", file, root)); err != nil {
			return err
		}
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
