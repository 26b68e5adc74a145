package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unknown returns a warning for each option of a remote that its type does not have.
func (s Sources) unknown(r Remote, t Type) []string {
	var warnings []string
	warn := func(key, where string) {
		if _, ok := t.Option(key); !ok && key != "type" {
			warnings = append(warnings, fmt.Sprintf("remote %q: option %q (%s) has no effect: there is none of that name for type %s here", r.label(), key, where, t.Name))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Params)) {
		warn(key, "the remote string")
	}
	if r.Name == "" {
		return warnings
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if key, ok := s.ownVariable(r.Name, name); ok {
			warn(key, name)
		}
	}
	if s.File == nil {
		return warnings
	}
	for _, key := range s.File.Keys(r.Name) {
		if v, _ := s.File.Get(r.Name, key); v != "" {
			warn(key, "the configuration file")
		}
	}
	return warnings
}

// ownVariable returns the option that an environment variable sets for a remote.
// RCLONE_CONFIG_NAS_OLD_HOST sets host of nas_old, if there is such a remote, and not old_host of
// nas.
func (s Sources) ownVariable(remote, name string) (string, bool) {
	key, ok := strings.CutPrefix(name, RemoteVariable(remote, ""))
	if !ok || key == "" {
		return "", false
	}
	for _, other := range s.Remotes() {
		prefix := RemoteVariable(other.Name, "")
		if len(prefix) > len(RemoteVariable(remote, "")) && strings.HasPrefix(name, prefix) {
			return "", false
		}
	}
	return strings.ToLower(key), true
}
