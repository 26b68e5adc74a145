package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

//go:embed peers/pyftpdlib/server.py
var pyftpdlibServer string

// The Debian packages are for the system's interpreter, which need not be the first python3 in
// PATH.
const python = "/usr/bin/python3"

func findPyftpdlib(ctx context.Context, b *bench) (program, error) {
	if !isFile(python) {
		return program{}, errors.New("no " + python)
	}
	var in install
	if versionOf(ctx, nil, python, "-c", pyftpdlibVersion) == "" {
		var err error
		in, err = b.unpacked(ctx, "usr/lib/python3/dist-packages/pyftpdlib/__init__.py", "python3-pyftpdlib", "python3-openssl")
		if err != nil {
			return program{}, err
		}
	}
	p := program{user: benchUser, pass: benchPass}
	if p.version = versionOf(ctx, in.env(), python, "-c", pyftpdlibVersion); p.version == "" {
		return program{}, fmt.Errorf("%s cannot load it", python)
	}
	p.command = func(b *bench, l launch) (*exec.Cmd, error) {
		args := []string{"-c", pyftpdlibServer, b.root, fmt.Sprint(l.port), fmt.Sprintf("%d-%d", firstPort, lastPort)}
		if l.secure {
			args = append(args, b.pem)
		}
		cmd := exec.Command(python, args...)
		cmd.Env = append(os.Environ(), in.env()...)
		return cmd, nil
	}
	return p, nil
}

const pyftpdlibVersion = "import pyftpdlib.servers; print(pyftpdlib.__ver__)"
