package registry

import (
	"context"
	"strings"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/sftp"
	"ferry/remote/nameenc"
)

func sftpDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "sftp",
			Help: "A directory of an SSH server",
			Options: together([]config.Option{
				{Name: "host", Required: true, Help: "Name or address of the server"},
				{Name: "user", Help: "Whom to log in as; empty is the user that runs this program"},
				{Name: "port", Default: "22", Help: "Port of the server"},
				{Name: "pass", Obscured: true, Help: "Password"},
				{Name: "key_file", Help: "File with the private key; a leading ~ is the home directory"},
				{Name: "key_pem", Secret: true, Help: "The private key itself, in one line with \\n between its lines"},
				{Name: "key_file_pass", Obscured: true, Help: "Passphrase of the private key"},
				{Name: "key_use_agent", Default: "false", Help: "Ask the SSH agent also where there is a key or a password"},
				{Name: "known_hosts_file", Help: "File with the keys of hosts: others are refused. Empty is ~/.ssh/known_hosts; " +
					"the first key of a host that is not in it is believed, and kept with what ferry keeps"},
				{Name: "host_key_algorithms", Help: "Host key algorithms to accept, best first"},
				{Name: "ciphers", Help: "Ciphers to use, best first"},
				{Name: "key_exchange", Help: "Key exchange algorithms to use, best first"},
				{Name: "macs", Help: "Message authentication codes to use, best first"},
				{Name: "use_insecure_cipher", Default: "false", Help: "Use also what is known to be broken, for old servers"},
				{Name: "set_modtime", Default: "true", Help: "Set modification times"},
				{Name: "skip_links", Default: "false", Help: "Leave out symbolic links instead of following them"},
				{Name: "subsystem", Default: "sftp", Help: "Name of the SSH subsystem"},
				{Name: "server_command", Help: "Command to run on the server instead of the subsystem"},
				{Name: "connections", Default: "0", Help: "Connections that are open at most; 0 is 4"},
				{Name: "idle_timeout", Default: "1m", Help: "Time after which an unused connection is closed; 0 keeps it"},
				{Name: "concurrency", Default: "64", Help: "Requests under way for one file"},
				{Name: "disable_concurrent_reads", Default: "false", Help: "Have one request under way for one file only"},
				{Name: "disable_concurrent_writes", Default: "false", Help: "The same"},
				{Name: "partial_max_age", Default: "24h", Help: "Time for which an unfinished upload can be continued"},
				{Name: "socks_proxy", Secret: true, Help: "SOCKS5 proxy to go through: [user:password@]host:port"},
				{Name: "http_proxy", Secret: true, Help: "HTTP proxy to go through: http://[user:password@]host:port"},
				{Name: "encoding", Default: sftp.Encoding.String(), Help: "What is encoded in names"},
			},
				unused(noCommands, "shell_type", "path_override", "hashes", "disable_hashcheck?", "md5sum_command", "sha1sum_command", "crc32sum_command",
					"sha256sum_command", "blake3sum_command", "xxh3sum_command", "xxh128sum_command"),
				unused(noTuning, "chunk_size", "use_fstat?", "copy_is_hardlink?"),
				unused(noTuning, "multithread_upload?"),
				ignored("the key of the server is looked for in known_hosts_file", "host_keys", "pin_host_key?"),
				ignored("keys are files, or in the agent, without certificates", "pubkey", "pubkey_file"),
				ignored("no program is run", "ssh", "set_env"),
				unused(noPrompt, "ask_password?"),
			),
		},
		open: openSFTP,
	}
}

func openSFTP(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := sftp.Options{
		Network:       v.reach(),
		Host:          v.str("host"),
		Port:          v.integer("port"),
		User:          v.str("user"),
		Password:      v.str("pass"),
		KeyFile:       v.str("key_file"),
		KeyPEM:        strings.ReplaceAll(v.str("key_pem"), `\n`, "\n"),
		KeyPassphrase: v.str("key_file_pass"),
		UseAgent:      v.boolean("key_use_agent"),
		KnownHosts:    v.str("known_hosts_file"),
		Algorithms: sftp.Algorithms{
			Ciphers:      v.list("ciphers"),
			MACs:         v.list("macs"),
			KeyExchanges: v.list("key_exchange"),
			HostKeys:     v.list("host_key_algorithms"),
			Insecure:     v.boolean("use_insecure_cipher"),
		},
		Subsystem:     v.str("subsystem"),
		ServerCommand: v.str("server_command"),
		Connections:   v.integer("connections"),
		IdleTimeout:   v.duration("idle_timeout"),
		Concurrency:   v.integer("concurrency"),
		KeepModTime:   v.boolean("set_modtime"),
		SkipLinks:     v.boolean("skip_links"),
		Encoding:      parse(v, "encoding", nameenc.Parse),
		PartMaxAge:    v.duration("partial_max_age"),
	}
	if v.boolean("disable_concurrent_reads") || v.boolean("disable_concurrent_writes") {
		o.Concurrency = 1
	}
	if v.err != nil {
		return nil, v.err
	}
	return sftp.New(ctx, path, o)
}
