package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// shownFlags returns the values of flags by group and name, secrets hidden, for options/get.
func shownFlags(fs *pflag.FlagSet, rows []flag) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, row := range rows {
		if row.isHidden() {
			continue
		}
		block := blockName(row.group)
		if all[block] == nil {
			all[block] = map[string]any{}
		}
		all[block][row.name] = shownValue(fs.Lookup(row.name).Value)
	}
	return all
}

// blockName is the word for a group: that of rclone where it has one.
func blockName(group string) string {
	switch group {
	case groupRC:
		return "rc"
	case groupLogging:
		return "log"
	case groupConfig:
		return "config"
	}
	return strings.ToLower(group)
}

// shownValue returns a value in the type that JSON has for it; what has none is shown as it is written on the command
// line.
func shownValue(v pflag.Value) any {
	switch v := v.(type) {
	case *once:
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
		return append([]string{}, *v.p...)
	case *listFlag:
		return append([]string{}, *v.p...)
	}
	return v.String()
}
