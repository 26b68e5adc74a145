package flags

import (
	"net/url"
	"strings"

	"github.com/spf13/pflag"
)

// Shown returns the values of flags by group and name, secrets hidden, for options/get.
func Shown(groups []Group) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, g := range groups {
		if g.IsHidden() {
			continue
		}
		block := map[string]any{}
		for _, row := range g.Flags {
			name, _ := row.name()
			block[name] = shownValue(row.Value)
		}
		all[blockName(g.Title)] = block
	}
	return all
}

// blockName is the word for the title of a group: that of rclone where it has one.
func blockName(title string) string {
	switch title {
	case rcTitle:
		return "rc"
	case loggingTitle:
		return "log"
	case configTitle:
		return "config"
	}
	return strings.ToLower(title)
}

// shownValue returns a value in the type that JSON has for it; what has none is shown as it is
// written on the command line.
func shownValue(v pflag.Value) any {
	switch v := v.(type) {
	case *onceOnly:
		return shownValue(v.Value)
	case *value[bool]:
		return *v.p
	case *value[int]:
		return *v.p
	case *value[uint32]:
		return *v.p
	case *value[float64]:
		return *v.p
	case *value[[]string]:
		shown := []string{}
		for _, one := range *v.p {
			shown = append(shown, v.format([]string{one})) // it may hold a secret
		}
		return shown
	case *listFlag:
		return append([]string{}, *v.p...)
	}
	return v.String()
}

// Shown is the value in the type that a file has for it, secrets hidden.
func (f Flag) Shown() any {
	v := f.inner()
	shown := shownValue(v)
	switch shown.(type) {
	case uint32: // which may be a word, such as auto
		if text := v.String(); strings.Trim(text, "0123456789") != "" {
			return text
		}
	case string:
		if u, err := url.Parse(v.String()); err == nil && u.User != nil {
			return u.Redacted()
		}
	}
	return shown
}
