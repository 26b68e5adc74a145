package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func findVsftpd(ctx context.Context, b *bench) (program, error) {
	if os.Getuid() != 0 {
		return program{}, errors.New("needs root")
	}
	in, err := b.locate(ctx, "usr/sbin/vsftpd", "vsftpd")
	if err != nil {
		return program{}, err
	}
	// It prints the version to its standard input, where inetd would have put the connection.
	version := versionOf(ctx, in.env(), "sh", "-c", `"$0" -v 0>&1`, in.bin)
	p := program{version: version, user: "anonymous", pass: "bench@"}
	p.command = func(b *bench, l launch) (*exec.Cmd, error) {
		empty := filepath.Join(b.state, "vsftpd-empty")
		if err := os.MkdirAll(empty, 0o755); err != nil {
			return nil, err
		}
		conf := fmt.Sprintf(vsftpdConf, l.port, b.root, empty, firstPort, lastPort)
		if l.secure {
			conf += fmt.Sprintf(vsftpdTLS, b.pem, b.pem)
		}
		file := filepath.Join(b.state, "vsftpd.conf")
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			return nil, err
		}
		cmd := exec.Command(in.bin, file)
		cmd.Env = append(os.Environ(), in.env()...)
		return cmd, nil
	}
	return p, nil
}

// The anonymous user may do here what a user of the other servers may. What is not named is as
// vsftpd has it. The account behind it is daemon, because vsftpd enters its home directory first
// and that of nobody does not exist.
const vsftpdConf = `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=%d
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
ftp_username=daemon
nopriv_user=nobody
anon_root=%s
secure_chroot_dir=%s
allow_writeable_chroot=YES
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
max_clients=0
max_per_ip=0
xferlog_enable=NO
pasv_min_port=%d
pasv_max_port=%d
`

const vsftpdTLS = `ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=%s
rsa_private_key_file=%s
`
