package registry

import (
	"context"
	"errors"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/smb"
	"ferry/remote/nameenc"
)

func smbDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "smb",
			Help: "A share of a Windows server, of Samba or of a NAS: SHARE/DIRECTORY; without a path all shares",
			Options: together([]config.Option{
				{Name: "host", Required: true, Help: "Name or address of the server"},
				{Name: "user", Help: "Whom to log in as; empty is the user that runs this program"},
				{Name: "port", Default: "445", Help: "Port of the server"},
				{Name: "pass", Obscured: true, Help: "Password"},
				{Name: "domain", Default: "WORKGROUP", Help: "Domain of the user"},
				{Name: "workstation", Help: "Name of this machine that a login tells, where the server lets users in from some machines only; empty is none"},
				{Name: "spn", Help: "Service principal name that the server expects, such as cifs/server:1020"},
				{Name: "use_kerberos", Default: "false", Help: "Not there: log in by user and pass"},
				{Name: "connections", Default: "0", Help: "Connections that are open at most, as many again for reading; 0 is 4"},
				{Name: "idle_timeout", Default: "1m", Help: "Time after which an unused connection is closed; 0 keeps it"},
				{Name: "hide_special_share", Default: "true", Help: "Do not list shares whose name ends with $"},
				{Name: "case_insensitive", Default: "true", Help: "A and a are one file on the server"},
				{Name: "partial_max_age", Default: "24h", Help: "Time for which an unfinished upload can be continued"},
				{Name: "encoding", Default: smb.Encoding.String(), Help: "What is encoded in names"},
			},
				unused("Kerberos is not used", "kerberos_ccache"),
			),
		},
		open: openSMB,
	}
}

func openSMB(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := smb.Options{
		Network:       v.reach(),
		Host:          v.str("host"),
		Port:          v.integer("port"),
		User:          v.str("user"),
		Password:      v.str("pass"),
		Domain:        v.str("domain"),
		Workstation:   v.str("workstation"),
		SPN:           v.str("spn"),
		Connections:   v.integer("connections"),
		IdleTimeout:   v.duration("idle_timeout"),
		ShowSpecial:   !v.boolean("hide_special_share"),
		CaseSensitive: !v.boolean("case_insensitive"),
		Encoding:      parse(v, "encoding", nameenc.Parse),
		PartMaxAge:    v.duration("partial_max_age"),
	}
	if v.boolean("use_kerberos") {
		return nil, errors.New("smb: Kerberos is not supported; set use_kerberos = false, user and pass (NTLM)")
	}
	if v.err != nil {
		return nil, v.err
	}
	return smb.New(ctx, path, o)
}
