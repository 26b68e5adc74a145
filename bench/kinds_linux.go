package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// User and password of every server that has its own; vsftpd serves anonymous.
const (
	benchUser = "bench"
	benchPass = "bench"
	// desHash is crypt(3) of benchPass in its oldest and cheapest form: servers that keep a password file are measured, not
	// the hash in it.
	desHash = "fecHZAlVDVET2"
)

// Every server draws its passive ports from this range, the default of ferry serve ftp.
const firstPort, lastPort = 30000, 32000

// A kind is a server that bench knows how to run.
type kind struct {
	name string
	find func(ctx context.Context, b *bench) (program, error) // an error is why it is missing
}

// A program is a kind found on this machine.
type program struct {
	version    string
	user, pass string
	// command prepares one run on 127.0.0.1:port that serves b.root; secure asks for AUTH TLS with b.pem.
	command func(b *bench, port uint16, secure bool) (*exec.Cmd, error)
}

// kinds lists the servers in the order of the table's columns.
func kinds() []kind {
	return []kind{
		{"ferry", findFerry},
		{"vsftpd", findVsftpd},
		{"pure-ftpd", findPureFTPd},
		{"proftpd", findProFTPD},
		{"pyftpdlib", findPyftpdlib},
		{"ftpserverlib", findFtpserverlib},
		{"rclone", findRclone},
	}
}

func findFerry(ctx context.Context, b *bench) (program, error) {
	bin, version := b.opt.ferry, "given by -ferry"
	if bin == "" {
		bin = filepath.Join(b.state, "ferry")
		if err := goBuild(ctx, ".", bin, "./cmd/ferry"); err != nil {
			return program{}, err
		}
		commit, err := output(exec.CommandContext(ctx, "git", "describe", "--always", "--dirty"))
		if err != nil {
			commit = "of this tree" // which need not be a git repository
		}
		version = strings.TrimSpace(commit)
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return program{}, err
	}
	p := program{user: benchUser, pass: benchPass, version: version}
	p.command = serveFTP(bin)
	return p, nil
}

// findRclone takes an installed rclone only: Debian's package is built without serve ftp.
func findRclone(ctx context.Context, _ *bench) (program, error) {
	bin, err := exec.LookPath("rclone")
	if err != nil {
		return program{}, errors.New("not installed")
	}
	p := program{user: benchUser, pass: benchPass, version: versionOf(ctx, nil, bin, "version")}
	p.command = serveFTP(bin, "--config", os.DevNull)
	return p, nil
}

// serveFTP is the command line that ferry and rclone share.
func serveFTP(bin string, more ...string) func(b *bench, port uint16, secure bool) (*exec.Cmd, error) {
	return func(b *bench, port uint16, secure bool) (*exec.Cmd, error) {
		args := []string{"serve", "ftp", b.root,
			"--addr", fmt.Sprintf("127.0.0.1:%d", port),
			"--user", benchUser, "--pass", benchPass,
			"--passive-port", fmt.Sprintf("%d-%d", firstPort, lastPort)}
		if secure {
			args = append(args, "--cert", b.pem, "--key", b.pem)
		}
		return exec.Command(bin, append(args, more...)...), nil
	}
}

func findFtpserverlib(ctx context.Context, b *bench) (program, error) {
	const dir = "bench/peers/ftpserverlib"
	bin := filepath.Join(b.state, "ftpserverlib")
	if err := goBuild(ctx, dir, bin, "."); err != nil {
		return program{}, err
	}
	p := program{user: benchUser, pass: benchPass}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return program{}, err
	}
	p.version = firstMatch(`ftpserverlib v([0-9.]+)`, string(mod))
	p.command = func(b *bench, port uint16, secure bool) (*exec.Cmd, error) {
		args := []string{"-addr", fmt.Sprintf("127.0.0.1:%d", port), "-first", fmt.Sprint(firstPort), "-last", fmt.Sprint(lastPort)}
		if secure {
			args = append(args, "-cert", b.pem)
		}
		return exec.Command(bin, append(args, b.root)...), nil
	}
	return p, nil
}

// goBuild builds package pkg of the module in dir.
func goBuild(ctx context.Context, dir, out, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", out, pkg)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s in %s: %w: %s", pkg, dir, err, lastLine(string(text)))
	}
	return nil
}

// versionOf runs a program that prints its version and returns the number; "" when it prints none.
func versionOf(ctx context.Context, env []string, name string, args ...string) string {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	text, _ := cmd.CombinedOutput() // some exit with an error after printing it
	return firstMatch(`v?([0-9]+(?:\.[0-9]+)+[0-9A-Za-z.-]*)`, string(text))
}

func firstMatch(pattern, text string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

var errNotFetched = errors.New("not installed; -fetch unpacks its Debian package")
