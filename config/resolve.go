package config

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Settings are the resolved options of a remote. They contain secrets, which fmt and slog do not
// print.
type Settings struct {
	// Name is the name of the remote in logs: nas, :s3, followed by {5 characters} if its options
	// are not only those of the file.
	Name string
	Type string // the Name of its Type
	Path string
	// Values has every option that is set or has a default, with passwords revealed.
	Values map[string]string
	// Sections has for each option whose value stands in the file the section where it does.
	Sections map[string]string
	// Warnings are about options without effect, one line each.
	Warnings []string
}

// String returns the name and the type.
func (s Settings) String() string { return s.Name + " (" + s.Type + ")" }

// GoString hides the values from %#v.
func (s Settings) GoString() string { return s.String() }

// LogValue hides the values from slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Resolve resolves the settings of a remote. An error is one line with the remote, the option, its
// source and the remedy; it contains no value.
func (s Sources) Resolve(r Remote) (Settings, error) {
	name, err := s.TypeOf(r)
	if err != nil {
		return Settings{}, err
	}
	t, err := s.typeOf(name, r.label()+":"+r.Path)
	if err != nil {
		return Settings{}, fmt.Errorf("remote %q: %w", r.label(), err)
	}
	set := Settings{Type: t.Name, Path: r.Path, Values: map[string]string{}, Sections: map[string]string{}, Warnings: s.unknown(r, t)}
	overrides := map[string]string{}
	for _, o := range t.Settable() {
		f := s.find(r, t, o)
		if f.where == "" {
			f.value = o.Default
		} else if !f.file {
			overrides[o.Name] = f.value
		} else {
			set.Sections[o.Name] = s.File.Section(r.Name, o.Name)
		}
		if o.Ignored != "" && f.value != "" && f.value != "false" {
			set.Warnings = append(set.Warnings, fmt.Sprintf("remote %q: option %q (%s) has no effect: %s", r.label(), o.Name, f.where, o.Ignored))
		}
		value, filled := s.fill(f.value)
		if !filled {
			value, err = o.read(f.value)
		}
		if err != nil {
			return Settings{}, explainOption(r, t, o, f.where, err)
		}
		if o.Obscured && f.value != "" && !filled && (!isText(value) || value == "" && o.Required) {
			set.Warnings = append(set.Warnings, fmt.Sprintf(`remote %q: option %s (%s) does not look obscured, and what it is taken for is no password: write it as "ferry obscure" prints it`,
				r.label(), o.Name, f.where))
		}
		if value != "" || f.where != "" {
			set.Values[o.Name] = value
		}
	}
	set.Name = r.label() + suffix(overrides)
	return set, nil
}

// fill puts in what placeholders stand for, and reports whether there was one. No name is made of
// it: what tells remotes apart is the placeholder.
func (s Sources) fill(value string) (filled string, any bool) {
	var pairs []string
	for placeholder, text := range s.Placeholders {
		if strings.Contains(value, placeholder) {
			pairs = append(pairs, placeholder, text)
		}
	}
	return strings.NewReplacer(pairs...).Replace(value), len(pairs) > 0
}

var (
	errMissing  = errors.New("is missing")
	errObscured = errors.New("is not an obscured password")
)

// read returns the value in the form of the driver.
func (o Option) read(value string) (string, error) {
	switch {
	case value == "" && o.Required:
		return "", errMissing
	case value == "" || !o.Obscured:
		return value, nil
	}
	plain, err := Reveal(value)
	if err != nil {
		return "", errObscured
	}
	return plain, nil
}

func explainOption(r Remote, t Type, o Option, where string, err error) error {
	switch {
	case err == errObscured:
		return fmt.Errorf(`remote %q: option %s (%s) %w: write it as "ferry obscure" prints it`, r.label(), o.Name, where, err)
	case r.Name == "":
		return fmt.Errorf("remote %q: option %s %w: write :%s,%s=VALUE:path, or set %s", r.label(), o.Name, err, r.Type, o.Name, t.Variable(o))
	}
	return fmt.Errorf(`remote %q: option %s %w: set it with "ferry config update %s %s=VALUE", or in %s`,
		r.label(), o.Name, err, r.Name, o.Name, RemoteVariable(r.Name, o.Name))
}

// suffix distinguishes remotes of one name whose options differ from those of the file. As in
// rclone it is the beginning of the MD5 sum of the options in the form of a remote string.
func suffix(overrides map[string]string) string {
	if len(overrides) == 0 {
		return ""
	}
	var params []string
	for _, key := range slices.Sorted(maps.Keys(overrides)) {
		params = append(params, key+"='"+strings.ReplaceAll(overrides[key], "'", "''")+"'")
	}
	sum := md5.Sum([]byte(strings.Join(params, ",")))
	return "{" + base64.RawURLEncoding.EncodeToString(sum[:])[:5] + "}"
}
