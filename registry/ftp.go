package registry

import (
	"context"
	"crypto/tls"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/nameenc"
)

func ftpDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "ftp",
			Help: "A directory of an FTP server",
			Options: together([]config.Option{
				{Name: "host", Required: true, Help: "Name or address of the server"},
				{Name: "user", Help: "Whom to log in as; empty is anonymous"},
				{Name: "port", Default: "21", Help: "Port of the server; with tls it mostly is 990"},
				{Name: "pass", Obscured: true, Help: "Password"},
				{Name: "tls", Default: "false", Help: "TLS from the first byte on (implicit)"},
				{Name: "explicit_tls", Default: "false", Help: "TLS by AUTH TLS"},
				{Name: "no_check_certificate", Default: "false", Help: "Trust any certificate. Whoever is in between can read along"},
				{Name: "disable_tls13", Default: "false", Help: "Use TLS 1.2 at most"},
				{Name: "tls_cache_size", Default: "32", Help: "TLS sessions that are remembered; 0 is none"},
				{Name: "allow_insecure_tls_ciphers", Default: "false", Help: "Use also ciphers that are known to be broken"},
				{Name: "concurrency", Default: "0", Help: "Connections that are open at most; 0 is as many as are needed. One is too few for copying"},
				{Name: "disable_epsv", Default: "false", Help: "Use PASV only"},
				{Name: "disable_mlsd", Default: "false", Help: "Use LIST only"},
				{Name: "disable_utf8", Default: "false", Help: "Do not ask for UTF-8"},
				{Name: "writing_mdtm", Default: "false", Help: "Set modification times by MDTM where there is no MFMT"},
				{Name: "idle_timeout", Default: "1m", Help: "Time after which an unused connection is closed; 0 keeps it"},
				{Name: "no_check_upload", Default: "false", Help: "Do not ask for the size of what was uploaded"},
				{Name: "partial_max_age", Default: "24h", Help: "Age from which on what a killed upload left is removed"},
				{Name: "socks_proxy", Secret: true, Help: "SOCKS5 proxy to go through: [user:password@]host:port"},
				{Name: "http_proxy", Secret: true, Help: "HTTP proxy to go through: http://[user:password@]host:port"},
				{Name: "encoding", Default: ftp.Encoding.String(), Help: "What is encoded in names"},
			},
				unused("a server that is silent is left by --timeout", "close_timeout", "shut_timeout"),
				unused("hidden files are always listed", "force_list_hidden?"),
				unused(noPrompt, "ask_password?"),
			),
		},
		open: openFTP,
	}
}

func openFTP(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := ftp.Options{
		Network:       v.reach(),
		Host:          v.str("host"),
		Port:          v.integer("port"),
		User:          v.str("user"),
		Password:      v.str("pass"),
		ImplicitTLS:   v.boolean("tls"),
		ExplicitTLS:   v.boolean("explicit_tls"),
		TLS:           ftpTLS(v),
		Connections:   v.integer("concurrency"),
		IdleTimeout:   v.duration("idle_timeout"),
		NoEPSV:        v.boolean("disable_epsv"),
		NoMLSD:        v.boolean("disable_mlsd"),
		NoUTF8:        v.boolean("disable_utf8"),
		WriteMDTM:     v.boolean("writing_mdtm"),
		NoCheckUpload: v.boolean("no_check_upload"),
		Encoding:      parse(v, "encoding", nameenc.Parse),
		PartMaxAge:    v.duration("partial_max_age"),
	}
	if v.err != nil {
		return nil, v.err
	}
	return ftp.New(ctx, path, o)
}

func ftpTLS(v *values) *tls.Config {
	c := v.env.Network.Config()
	c.InsecureSkipVerify = c.InsecureSkipVerify || v.boolean("no_check_certificate")
	if v.boolean("disable_tls13") {
		c.MaxVersion = tls.VersionTLS12
	}
	if n := v.integer("tls_cache_size"); n > 0 {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(n)
	} else {
		c.SessionTicketsDisabled = true
	}
	if v.boolean("allow_insecure_tls_ciphers") {
		for _, suite := range tls.InsecureCipherSuites() {
			c.CipherSuites = append(c.CipherSuites, suite.ID)
		}
		for _, suite := range tls.CipherSuites() {
			c.CipherSuites = append(c.CipherSuites, suite.ID)
		}
	}
	return c
}
