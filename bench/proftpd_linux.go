package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func findProFTPD(ctx context.Context, b *bench) (program, error) {
	if os.Getuid() != 0 {
		return program{}, errors.New("needs root")
	}
	in, err := b.locate(ctx, "usr/sbin/proftpd", "proftpd-mod-crypto")
	if err != nil {
		return program{}, err
	}
	owner, err := lookupNobody()
	if err != nil {
		return program{}, err
	}
	users := filepath.Join(b.state, "proftpd.passwd")
	line := fmt.Sprintf("%s:%s:%d:%d::%s:/bin/false\n", benchUser, desHash, owner.uid, owner.gid, b.root)
	if err := os.WriteFile(users, []byte(line), 0o600); err != nil {
		return program{}, err
	}
	p := program{version: versionOf(ctx, in.env(), in.bin, "-v"), user: benchUser, pass: benchPass}
	p.command = func(b *bench, l launch) (*exec.Cmd, error) {
		modules := filepath.Join(in.root, "/usr/lib/proftpd")
		conf := fmt.Sprintf(proftpdConf, l.port, owner.name, owner.group, users,
			filepath.Join(b.state, "proftpd.pid"), filepath.Join(b.state, "proftpd.scoreboard"), firstPort, lastPort)
		if l.secure {
			conf += fmt.Sprintf(proftpdTLS, modules, b.pem, b.pem)
		}
		file := filepath.Join(b.state, "proftpd.conf")
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			return nil, err
		}
		cmd := exec.Command(in.bin, "--nodaemon", "--quiet", "--config", file)
		cmd.Env = append(os.Environ(), in.env()...)
		return cmd, nil
	}
	return p, nil
}

// DelayEngine would slow logins down on purpose, and the logs are off because the others write none
// either.
const proftpdConf = `ServerName bench
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port %d
User %s
Group %s
UseIPv6 off
UseReverseDNS off
AuthOrder mod_auth_file.c
AuthUserFile %s
RequireValidShell off
DefaultRoot ~
PidFile %s
ScoreboardFile %s
PassivePorts %d %d
MaxInstances none
TimesGMT on
Umask 022
AllowOverwrite on
DelayEngine off
WtmpLog off
UseLastlog off
TransferLog none
SystemLog none
`

const proftpdTLS = `ModulePath %s
LoadModule mod_tls.c
TLSEngine on
TLSLog none
TLSProtocol TLSv1.2 TLSv1.3
TLSOptions NoSessionReuseRequired
TLSECCertificateFile %s
TLSECCertificateKeyFile %s
`
