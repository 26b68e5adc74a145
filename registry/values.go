package registry

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// values reads the options of a remote in the grammars of package config. The first one that cannot
// be read is kept as the error, so that a driver's options are read in one go and the error is
// looked at once.
type values struct {
	remote   string
	typ      string
	options  map[string]string
	sections map[string]string // of the file, in which options stand
	env      Environment
	resolve  Resolve
	drivers  []Driver // all that there are
	warn     func(message string, args ...any)
	outside  []string // names of the remotes that this one is inside of
	err      error
}

// of returns the values of another remote, which is inside of others.
func (v *values) of(s config.Settings, outside ...string) *values {
	return &values{
		remote: s.Name, typ: s.Type, options: s.Values, sections: s.Sections,
		env: v.env, resolve: v.resolve, drivers: v.drivers, warn: v.warn, outside: outside,
	}
}

// maxDepth is how many remotes may be wrapped around one another; more is a circle. One of sections
// alone is known by their names at once: names that are encrypted again and again grow too long
// before.
const maxDepth = 20

// open opens the remote that a remote string names, for one that is made of others.
func (v *values) open(ctx context.Context, remoteString string) (remote.Remote, error) {
	if len(v.outside) >= maxDepth || !strings.HasPrefix(v.remote, ":") && slices.Contains(v.outside, v.remote) {
		return nil, fmt.Errorf("remote %s: it is made of remotes that are made of it: correct the configuration", v.remote)
	}
	s, err := v.resolve(remoteString)
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	d, err := find(v.drivers, s.Type)
	if err != nil {
		return nil, err
	}
	return d.openIn(ctx, s.Path, v.of(s, append(slices.Clone(v.outside), v.remote)...))
}

func (v *values) str(name string) string { return v.options[name] }

// list splits at commas and spaces.
func (v *values) list(name string) []string {
	return strings.FieldsFunc(v.options[name], func(r rune) bool { return r == ',' || r == ' ' })
}

// words splits at spaces; what is quoted with " stays together.
func (v *values) words(name string) []string {
	fields := parse(v, name, config.ParseCommand)
	return slices.DeleteFunc(fields, func(f string) bool { return f == "" })
}

// pairs splits at commas, with the same quotes.
func (v *values) pairs(name string) []string {
	return parse(v, name, func(s string) ([]string, error) { return csv.NewReader(strings.NewReader(s)).Read() })
}

// reach is how servers are reached, by the proxy that the options socks_proxy or http_proxy name.
func (v *values) reach() network.Options {
	n := v.env.Network
	for option, kind := range map[string]string{"socks_proxy": "socks5", "http_proxy": "http"} {
		address := v.options[option]
		if address == "" {
			continue
		}
		if n.Proxy != nil && v.err == nil {
			v.err = fmt.Errorf("remote %s: both socks_proxy and http_proxy are set: set one of them", v.remote)
		}
		p, err := network.ParseProxy(kind, address)
		if err != nil && v.err == nil {
			v.err = fmt.Errorf("remote %s: option %s %w", v.remote, option, err)
		}
		n.Proxy = p
	}
	return n
}

func (v *values) boolean(name string) bool {
	return parse(v, name, strconv.ParseBool)
}

func (v *values) integer(name string) int {
	return parse(v, name, strconv.Atoi)
}

// size is in bytes; off is below 0.
func (v *values) size(name string) int64 {
	return int64(parse(v, name, config.ParseSize))
}

func (v *values) duration(name string) time.Duration {
	return parse(v, name, config.ParseDuration)
}

// parse reads one option; an empty one is the zero value.
func parse[T any](v *values, name string, read func(string) (T, error)) T {
	var zero T
	s := v.options[name]
	if s == "" {
		return zero
	}
	x, err := read(s)
	if err != nil && v.err == nil {
		v.err = fmt.Errorf("remote %s: the value of option %s cannot be read: %s: correct it where it is set", v.remote, name, form(zero, err))
	}
	if err != nil {
		return zero
	}
	return x
}

// form says how a value is written. What it is stays untold: it may be a secret that was put there.
func form(as any, err error) string {
	number := (*strconv.NumError)(nil)
	switch as.(type) {
	case nameenc.Encoding:
		return "it is kinds of characters, such as Slash,Ctl,InvalidUtf8, or None"
	case bool:
		if errors.As(err, &number) {
			return "it is true or false"
		}
	case int:
		return "it is a whole number"
	}
	return err.Error()
}
