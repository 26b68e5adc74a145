package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// User and password of every server that has its own; vsftpd serves anonymous.
const (
	benchUser = "bench"
	benchPass = "bench"
	// desHash is crypt(3) of benchPass in its oldest and cheapest form: servers that keep a
	// password file are measured, not the hash in it.
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
	// command prepares one run that serves what the suite has laid out.
	command func(b *bench, l launch) (*exec.Cmd, error)
}

// A launch is what one run of a server is asked for.
type launch struct {
	port   uint16   // on 127.0.0.1
	secure bool     // AUTH TLS with b.pem
	flags  []string // of the workload, for servers with the command line of ferry
	users  bool     // b.usersFile() says who may log in, for those with the flag --users
}

// localKinds lists the servers of a local directory in the order of the table's columns.
func localKinds() []kind {
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
	bin, version, err := b.ferry(ctx)
	if err != nil {
		return program{}, err
	}
	return program{version: version, user: benchUser, pass: benchPass, command: serveFTP(bin, b.root, nil)}, nil
}

// ferry returns the ferry to measure, and which one it is.
func (b *bench) ferry(ctx context.Context) (bin, version string, err error) {
	if b.opt.ferry != "" {
		bin, err = filepath.Abs(b.opt.ferry)
		return bin, "given by -ferry", err
	}
	bin = filepath.Join(b.state, "ferry")
	if err := goBuild(ctx, ".", bin, "./cmd/ferry"); err != nil {
		return "", "", err
	}
	commit, err := output(exec.CommandContext(ctx, "git", "describe", "--always", "--dirty"))
	if err != nil {
		commit = "of this tree" // which need not be a git repository
	}
	return bin, strings.TrimSpace(commit), nil
}

// rcloneModule is built where rclone is not installed. Debian's package has no serve ftp.
const rcloneModule, rcloneVersion = "github.com/rclone/rclone", "v1.76.0"

func findRclone(ctx context.Context, b *bench) (program, error) {
	bin, err := b.installed(ctx, rcloneModule, rcloneVersion)
	if err != nil {
		return program{}, err
	}
	p := program{user: benchUser, pass: benchPass, version: versionOf(ctx, nil, bin, "version")}
	p.command = serveFTP(bin, b.root, nil, "--config", os.DevNull)
	return p, nil
}

// serveFTP is the command line that ferry and rclone share; env is added to the environment.
func serveFTP(bin, path string, env []string, more ...string) func(b *bench, l launch) (*exec.Cmd, error) {
	return func(b *bench, l launch) (*exec.Cmd, error) {
		args := []string{"serve", "ftp", path,
			"--addr", fmt.Sprintf("127.0.0.1:%d", l.port),
			"--passive-port", fmt.Sprintf("%d-%d", firstPort, lastPort)}
		if l.users {
			args = append(args, "--users", b.usersFile())
		} else {
			args = append(args, "--user", benchUser, "--pass", benchPass)
		}
		if l.secure {
			args = append(args, "--cert", b.pem, "--key", b.pem)
		}
		cmd := exec.Command(bin, slices.Concat(args, more, l.flags)...)
		cmd.Env = append(os.Environ(), env...)
		return cmd, nil
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
	p.command = func(b *bench, l launch) (*exec.Cmd, error) {
		args := []string{"-addr", fmt.Sprintf("127.0.0.1:%d", l.port), "-first", fmt.Sprint(firstPort), "-last", fmt.Sprint(lastPort)}
		if l.secure {
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

var errNotFetched = errors.New("not installed; -fetch unpacks its Debian package")
