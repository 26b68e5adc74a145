package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sources are the sources of the options of a remote. The first that sets an option is used:
//
//	the remote string       nas,port=2222:path
//	a flag                  --sftp-port 2222
//	a variable              RCLONE_CONFIG_NAS_PORT=2222
//	a variable of the type  RCLONE_SFTP_PORT=2222
//	the configuration file  [nas] port = 2222
//	the default of the option
//
// So a flag or a variable of a type overrides the file for every remote of the type. An empty value
// counts as set everywhere but in the file.
type Sources struct {
	Types   []Type
	Bridges []Bridge          // how types that are none of these are reached
	Flags   map[string]string // those on the command line, by name
	Env     Environ
	File    *Document // nil if none

	// Placeholders are texts in the values of options, and what is to stand there, in clear also
	// where a value is obscured.
	Placeholders map[string]string
}

// ErrNoRemote means that a remote is neither in the file nor in the environment.
var ErrNoRemote = errors.New("there is no such remote in the configuration: ferry listremotes shows which there are")

// A Listed is a named remote.
type Listed struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Source      string `json:"source"` // "environment" or "file"
	Description string `json:"description"`
}

// Remotes returns the remotes of the environment by name, then those of the file in its order. A
// section is a remote when it has a type. A variable RCLONE_CONFIG_NAS_TYPE defines a remote, whose
// name is not case-sensitive.
func (s Sources) Remotes() []Listed {
	var list []Listed
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		remote, ok := strings.CutPrefix(name, "RCLONE_CONFIG_")
		if !ok {
			continue
		}
		remote, ok = strings.CutSuffix(remote, "_TYPE")
		if typ := s.Env[name]; ok && remote != "" && typ != "" {
			list = append(list, Listed{Name: strings.ToLower(remote), Type: strings.ToLower(typ), Source: "environment"})
		}
	}
	if s.File == nil {
		return list
	}
	known := slices.Clone(list)
	for _, name := range s.File.Sections() {
		typ, ok := s.File.Get(name, "type")
		if !ok || slices.ContainsFunc(known, func(l Listed) bool { return l.Name == name }) {
			continue
		}
		about, _ := s.File.Get(name, description.Name)
		list = append(list, Listed{Name: name, Type: typ, Source: "file", Description: about})
	}
	return list
}

// TypeOf returns the configured name of the type of a remote. The type may not exist.
func (s Sources) TypeOf(r Remote) (string, error) {
	if r.Type != "" {
		return r.Type, nil
	}
	f := s.find(r, Type{}, Option{Name: "type"})
	switch {
	case f.value != "":
		return f.value, nil
	case f.where != "" || s.File != nil && s.File.Has(r.Name):
		return "", fmt.Errorf("remote %q has no type: its option type says what it is", r.Name)
	}
	return "", fmt.Errorf("%q: %w", r.Name, ErrNoRemote)
}

// Type returns the type name, by its name with or without spaces or by its prefix, or NoDriver's
// error.
func (s Sources) Type(name string) (Type, error) { return s.typeOf(name, "NAME:") }

// typeOf is Type for a remote.
func (s Sources) typeOf(name, remote string) (Type, error) {
	for _, t := range s.Types {
		if t.is(name) {
			return t, nil
		}
	}
	return Type{}, NoDriver(name, remote, s.Types, s.Bridges)
}

// A finding is the value of an option and its source.
type finding struct {
	value string
	where string // for people; "" = nowhere
	file  bool   // from the configuration file
}

// find searches an option in every source but its default. The zero Type is an unknown one.
func (s Sources) find(r Remote, t Type, o Option) finding {
	if v, ok := r.Params[o.Name]; ok {
		return finding{value: v, where: "the remote string"}
	}
	if v, ok := s.Flags[t.Flag(o)]; ok {
		return finding{value: v, where: "--" + t.Flag(o)}
	}
	for _, name := range variables(r, t, o) {
		if v, ok := s.Env[name]; ok {
			return finding{value: v, where: name}
		}
	}
	if r.Name != "" && s.File != nil {
		if v, _ := s.File.Get(r.Name, o.Name); v != "" {
			return finding{value: v, where: "the configuration file", file: true}
		}
	}
	return finding{}
}

// variables returns the environment variables of an option; the first that is set is used.
func variables(r Remote, t Type, o Option) []string {
	var names []string
	if r.Name != "" {
		names = append(names, RemoteVariable(r.Name, o.Name))
	}
	if t.Name != "" {
		names = append(names, t.Variable(o))
	}
	if o.NoPrefix {
		names = append(names, variable("RCLONE_", o.Name))
	}
	return names
}
