package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ferry/remote/network"
)

// networkOptions are the values of the flags that say how the servers of remotes are reached.
type networkOptions struct {
	connect, idle         time.Duration // 0 = for ever
	caCerts               []string
	clientCert, clientKey string
	trustAll              bool
}

// networkFlags are those of every command that connects to remotes.
func networkFlags() []flag {
	return []flag{
		{name: "contimeout", def: "1m", effect: true, usage: "Time for a connection to the remote to come about; 0 is no limit",
			value: func(o *options) pflag.Value { return durationValue(&o.network.connect) }},
		{name: "timeout", def: "5m", effect: true, usage: "Time without a byte after which a connection to the remote is given up; 0 is no limit",
			value: func(o *options) pflag.Value { return durationValue(&o.network.idle) }},
		{name: "ca-cert", effect: true, usage: "File of certificates (PEM) that the remote's is checked with, instead of the system's. May be repeated",
			value: func(o *options) pflag.Value { return pathsValue(&o.network.caCerts) }},
		{name: "client-cert", effect: true, usage: "Certificate file (PEM) to show to the remote",
			value: func(o *options) pflag.Value { return textValue(&o.network.clientCert) }},
		{name: "client-key", effect: true, usage: "Private key file (PEM) of --client-cert",
			value: func(o *options) pflag.Value { return textValue(&o.network.clientKey) }},
		{name: "no-check-certificate", def: "false", bare: on, effect: true, usage: "Trust any certificate of the remote. Whoever is in between can read along",
			value: func(o *options) pflag.Value { return boolValue(&o.network.trustAll) }},
	}
}

// pathsValue is a list of files: each occurrence of the flag adds to it, and a comma separates several.
func pathsValue(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) { return slices.Concat(*p, strings.Split(s, ",")), nil }
	return &value[[]string]{p, "paths", parse, func(l []string) string { return strings.Join(l, ",") }}
}

// options reads the files that are named.
func (n *networkOptions) options() (network.Options, error) {
	o := network.Options{ConnectTimeout: orForever(n.connect), IdleTimeout: orForever(n.idle)}
	if len(n.caCerts) == 0 && n.clientCert == "" && n.clientKey == "" && !n.trustAll {
		return o, nil
	}
	o.TLS = &tls.Config{InsecureSkipVerify: n.trustAll}
	if len(n.caCerts) > 0 {
		o.TLS.RootCAs = x509.NewCertPool()
	}
	for _, file := range n.caCerts {
		pem, err := os.ReadFile(file)
		if err != nil {
			return o, fmt.Errorf("--ca-cert: %w", err)
		}
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, usagef("--ca-cert %q: there is no certificate in it", file)
		}
	}
	if n.clientCert == "" && n.clientKey == "" {
		return o, nil
	}
	if n.clientCert == "" || n.clientKey == "" {
		return o, usagef("--client-cert and --client-key belong together: set both")
	}
	pair, err := tls.LoadX509KeyPair(n.clientCert, n.clientKey)
	if err != nil {
		return o, fmt.Errorf("--client-cert, --client-key: %w", err)
	}
	o.TLS.Certificates = []tls.Certificate{pair}
	return o, nil
}

func orForever(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}
