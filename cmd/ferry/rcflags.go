package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const groupRC = "Remote control"

// rcOptions are the values of the flags of the remote control.
type rcOptions struct {
	enabled     bool
	addrs       []string // host:port, or unix:///path
	user        string
	pass        secret
	htpasswd    string
	noAuth      bool
	cert, key   string
	allowOrigin string
	baseURL     string

	shown func() map[string]map[string]any // the flags, for options/get
}

func rcFlags() []flag {
	return []flag{
		{name: "rc", def: "false", bare: on, usage: "Answer remote control calls",
			value: func(o *options) pflag.Value { return boolValue(&o.rc.enabled) }},
		{name: "rc-addr", def: "localhost:5572", usage: "Address for remote control: host:port, :port, or unix:///path of a socket. May be repeated",
			value: func(o *options) pflag.Value { return rcAddrsValue(&o.rc.addrs) }},
		{name: "rc-user", usage: "User name for remote control",
			value: func(o *options) pflag.Value { return onceValue(textValue(&o.rc.user)) }},
		{name: "rc-pass", usage: "Password for remote control",
			value: func(o *options) pflag.Value { return onceValue(secretValue(&o.rc.pass)) }},
		{name: "rc-htpasswd", usage: "File of users and passwords for remote control, as made by htpasswd; read again when it changes",
			value: func(o *options) pflag.Value { return textValue(&o.rc.htpasswd) }},
		{name: "rc-no-auth", def: "false", bare: on, usage: "Allow every remote control call without a password",
			value: func(o *options) pflag.Value { return boolValue(&o.rc.noAuth) }},
		{name: "rc-cert", usage: "TLS certificate file for remote control (PEM, with its chain); read again when it changes",
			value: func(o *options) pflag.Value { return textValue(&o.rc.cert) }},
		{name: "rc-key", usage: "TLS private key file for remote control (PEM)",
			value: func(o *options) pflag.Value { return textValue(&o.rc.key) }},
		{name: "rc-allow-origin", usage: "Origin whose web pages may make remote control calls, such as https://admin.example.org, or * for all",
			value: func(o *options) pflag.Value { return originValue(&o.rc.allowOrigin) }},
		{name: "rc-baseurl", usage: "Path in front of the remote control calls",
			value: func(o *options) pflag.Value { return textValue(&o.rc.baseURL) }},
	}
}

// check refuses flags that contradict each other.
func (o *rcOptions) check() error {
	switch {
	case (o.user == "") != (o.pass == ""):
		return usagef("--rc-user and --rc-pass go together: give both, or neither")
	case o.user != "" && o.htpasswd != "":
		return usagef("--rc-user and --rc-htpasswd exclude each other: give one of them")
	case o.noAuth && (o.user != "" || o.htpasswd != ""):
		return usagef("--rc-no-auth and passwords exclude each other: give one of them")
	case (o.cert == "") != (o.key == ""):
		return usagef("--rc-cert and --rc-key go together (they may name the same file): give both, or neither")
	}
	return nil
}

// rcAddrsValue is a list of addresses and sockets: each occurrence of the flag adds to it, and a comma separates several.
func rcAddrsValue(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) {
		list := *p
		for addr := range strings.SplitSeq(s, ",") {
			addr, err := parseRCAddr(strings.TrimSpace(addr))
			if err != nil {
				return nil, err
			}
			list = append(list, addr)
		}
		return slices.Clip(list), nil
	}
	return &value[[]string]{p, "address", parse, func(l []string) string { return strings.Join(l, ",") }}
}

const unixScheme = "unix://"

// parseRCAddr returns host:port as it is, and the path of a socket with its scheme. A path needs no scheme: it is what
// has a slash in it.
func parseRCAddr(s string) (string, error) {
	path, isSocket := strings.CutPrefix(s, unixScheme)
	switch {
	case isSocket && path == "":
		return "", errors.New("the path of the socket is missing: use unix:///run/ferry.sock")
	case isSocket || strings.Contains(s, "/"):
		return unixScheme + path, nil
	}
	return s, checkAddr(s)
}

// originValue is a scheme and a host, "*" or nothing.
func originValue(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" || s == "*" {
			return s, nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || s != u.Scheme+"://"+u.Host {
			return "", errors.New("use a scheme and a host, as in https://admin.example.org, or *")
		}
		return s, nil
	}
	return &value[string]{p, "origin", parse, func(s string) string { return s }}
}
