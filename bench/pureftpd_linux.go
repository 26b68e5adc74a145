package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

func findPureFTPd(ctx context.Context, b *bench) (program, error) {
	if os.Getuid() != 0 {
		return program{}, errors.New("needs root")
	}
	in, err := b.locate(ctx, "usr/sbin/pure-ftpd", "pure-ftpd")
	if err != nil {
		return program{}, err
	}
	owner, err := lookupNobody()
	if err != nil {
		return program{}, err
	}
	// Its users live in a compiled file, which pure-pw makes from a line like that of passwd.
	users := filepath.Join(b.state, "pureftpd.passwd")
	line := fmt.Sprintf("%s:%s:%d:%d::%s/./::::::::::::\n", benchUser, desHash, owner.uid, owner.gid, b.root)
	if err := os.WriteFile(users, []byte(line), 0o600); err != nil {
		return program{}, err
	}
	db := filepath.Join(b.state, "pureftpd.pdb")
	mkdb := exec.CommandContext(ctx, filepath.Join(in.root, "/usr/bin/pure-pw"), "mkdb", db, "-f", users)
	mkdb.Env = append(os.Environ(), in.env()...)
	if _, err := output(mkdb); err != nil {
		return program{}, err
	}
	p := program{version: versionOf(ctx, in.env(), in.bin, "--help"), user: benchUser, pass: benchPass}
	p.command = func(b *bench, l launch) (*exec.Cmd, error) {
		args := []string{
			"--bind", "127.0.0.1," + strconv.Itoa(int(l.port)),
			"--login", "puredb:" + db,
			"--noanonymous", "--ipv4only", "--dontresolve",
			"--minuid", "1",
			"--maxclientsnumber", "4096", "--maxclientsperip", "4096",
			"--limitrecursion", "1000000:1",
			"--passiveportrange", fmt.Sprintf("%d:%d", firstPort, lastPort),
			"--syslogfacility", "none",
			"--pidfile", filepath.Join(b.state, "pureftpd.pid"),
		}
		if l.secure {
			args = append(args, "--tls", "1", "--certfile", b.pem)
		}
		cmd := exec.Command(in.bin, args...)
		cmd.Env = append(os.Environ(), in.env()...)
		return cmd, nil
	}
	return p, nil
}
