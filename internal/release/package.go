package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// nfpm makes .deb and .rpm packages. Later versions need modules that not every proxy has.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// packaging is one run of "package".
type packaging struct {
	version string
	commit  string
	out     string
	targets []target
	stderr  io.Writer

	when time.Time // of the commit: the time of every file
}

// make builds everything into p.out, whose content it replaces. The working directory is the root
// of the source, in git.
func (p *packaging) make(ctx context.Context) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(p.out); err != nil {
		return err
	}
	stage := filepath.Join(p.out, "stage")
	if err := os.MkdirAll(stage, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	if err := p.manual(ctx, stage); err != nil {
		return err
	}
	if err := copyTree(filepath.Join(stage, "examples"), "contrib", "packaging"); err != nil {
		return err
	}
	if err := copyTree(filepath.Join(stage, "doc"), "doc", "decisions"); err != nil {
		return err
	}
	if err := setModes(stage); err != nil {
		return err
	}
	for _, t := range p.targets {
		if err := p.target(ctx, stage, t); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
	}
	return p.sums()
}

// ask finds out which commit this is.
func (p *packaging) ask(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct %h %H").Output()
	if err != nil {
		return fmt.Errorf("which commit this is: git log: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) != 3 {
		return fmt.Errorf("which commit this is: git log says %q", out)
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return err
	}
	p.when = time.Unix(n, 0).UTC()
	p.version = cmp.Or(strings.TrimPrefix(p.version, "v"), "0.0.0~"+p.when.Format("20060102")+"."+words[1])
	p.commit = words[2]
	return nil
}

// manual writes what is made by the program itself: its manual and its completions.
func (p *packaging) manual(ctx context.Context, stage string) error {
	ferry, err := p.build(ctx, stage, target{os: runtime.GOOS, arch: runtime.GOARCH})
	if err != nil {
		return err
	}
	ferry, err = filepath.Abs(ferry)
	if err != nil {
		return err
	}
	if err := p.run(ctx, nil, ferry, "manual", "man", "--date", p.when.Format(time.DateOnly), filepath.Join(stage, "man")); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(stage, "man", "*"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		section := filepath.Join(stage, "share", "man", "man"+page[len(page)-1:])
		if err := compress(page, filepath.Join(section, filepath.Base(page)+".gz")); err != nil {
			return err
		}
	}
	for shell, path := range map[string]string{
		"bash": "bash-completion/completions/ferry", "zsh": "zsh/vendor-completions/_ferry", "fish": "fish/vendor_completions.d/ferry.fish",
	} {
		text, err := exec.CommandContext(ctx, ferry, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("completion %s: %w", shell, err)
		}
		if err := write(filepath.Join(stage, "share", path), text); err != nil {
			return err
		}
	}
	return nil
}

// build builds the program, unless it is there: static, without paths of this machine.
func (p *packaging) build(ctx context.Context, stage string, t target) (path string, err error) {
	path = filepath.Join(stage, t.name(), t.program())
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	// Go says nothing of a commit in a work tree of git, and no version without a tag.
	says := "-ldflags=-s -w -X main.release=" + p.version + " -X main.commit=" + p.commit + " -X main.date=" + p.when.Format(time.RFC3339)
	err = p.run(ctx, t.env(), "go", "build", "-trimpath", "-buildvcs=true", says, "-o", path, "./cmd/ferry")
	return path, err
}

// target makes everything for one system.
func (p *packaging) target(ctx context.Context, stage string, t target) error {
	ferry, err := p.build(ctx, stage, t)
	if err != nil {
		return err
	}
	base := filepath.Join(p.out, "ferry-"+p.version+"-"+t.name())
	if err := writeBOM(base+".cdx.json", ferry, p.version, p.when); err != nil {
		return err
	}
	suffix := ".tar.gz"
	if t.os == "windows" {
		suffix = ".zip"
	}
	in := "ferry-" + p.version + "/"
	err = archive(base+suffix, p.when, []file{
		{in + t.program(), ferry, 0o755}, {in + "LICENSE", "LICENSE", 0o644}, {in + "README.md", "README.md", 0o644},
	})
	if err != nil || t.packaged() == "" {
		return err
	}
	for _, kind := range []string{"deb", "rpm"} {
		env := []string{
			"VERSION=" + p.version, "ARCH=" + t.packaged(), "STAGE=" + stage, "PROGRAM=" + ferry,
			"SOURCE_DATE_EPOCH=" + strconv.FormatInt(p.when.Unix(), 10),
		}
		if err := p.run(ctx, env, "go", "run", nfpm, "package", "-f", "contrib/packaging/nfpm.yaml", "-p", kind, "-t", base+"."+kind); err != nil {
			return err
		}
	}
	return nil
}

// sums writes SHA256SUMS of all that was made.
func (p *packaging) sums() error {
	all, err := filepath.Glob(filepath.Join(p.out, "ferry-*"))
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, path := range all {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	return write(filepath.Join(p.out, "SHA256SUMS"), []byte(b.String()))
}

// run runs a command with variables besides those of this process.
func (p *packaging) run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = p.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), args[0], err)
	}
	return nil
}
