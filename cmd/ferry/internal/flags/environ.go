package flags

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/hooks/call"
	"ferry/registry"
)

const (
	ownPrefix    = "FERRY_"
	rclonePrefix = "RCLONE_"
)

// variableName is the variable of a flag behind its prefix.
func variableName(flag string) string {
	return strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFromEnv sets a flag from its variable, whose name it returns: "" if there is none.
func setFromEnv(f *pflag.Flag, vars map[string]string) (string, error) {
	for _, prefix := range []string{ownPrefix, rclonePrefix} {
		name := prefix + variableName(f.Name)
		if v, ok := vars[name]; ok {
			set := f.Value.Set
			if list, ok := f.Value.(*listFlag); ok {
				set = list.SetAll
			}
			if err := set(v); err != nil {
				return name, badValue(name+" (for --"+f.Name+")", v, err)
			}
			f.Changed = true
			return name, nil
		}
	}
	return "", nil
}

// checkVariables returns an error for a variable of this program that sets nothing: whoever
// misspells one would start a server that lacks what it was to have.
func checkVariables(vars map[string]string) error {
	known := ownVariables()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		rest, ok := strings.CutPrefix(name, ownPrefix)
		if !ok || known[rest] || isNotForFlags(name, vars[name]) {
			continue
		}
		if rcloneVariables()[rest] {
			return Usagef("there is no variable %s: use %s%s", name, rclonePrefix, rest)
		}
		return Usagef("there is no variable %s%s: see ferry serve ftp --help", name, didYouMean(rest, known, ownPrefix))
	}
	return nil
}

// UnknownVariables returns what is wrong with the variables of rclone that mean nothing here.
func UnknownVariables(env config.Environ) []string {
	known := rcloneVariables()
	maps.Copy(known, ownVariables())
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		rest, ok := strings.CutPrefix(name, rclonePrefix)
		if ok && env[name] != "" && !known[rest] && !isConfigVariable(rest) && !isNotForFlags(name, env[name]) {
			list = append(list, name+didYouMean(rest, known, rclonePrefix))
		}
	}
	return list
}

// ownVariables are the variables of all flags of all commands, without their prefix.
func ownVariables() map[string]bool {
	names := map[string]bool{}
	for _, g := range All(&Options{}) {
		for _, row := range g.Flags {
			name, _ := row.name()
			names[variableName(name)] = true
		}
	}
	return names
}

// rcloneVariables are those that set options of types of remotes, without their prefix.
func rcloneVariables() map[string]bool {
	known := map[string]bool{}
	for _, t := range registry.Types() {
		for _, o := range t.Settable() {
			known[strings.TrimPrefix(t.Variable(o), rclonePrefix)] = true
			known[variableName(t.Flag(o))] = true
		}
	}
	return known
}

// isConfigVariable reports whether a variable of rclone sets an option of a remote that it names,
// or concerns the configuration file.
func isConfigVariable(rest string) bool {
	return rest == "CONFIG" || strings.HasPrefix(rest, "CONFIG_") || rest == "PASSWORD_CHANGE"
}

// isNotForFlags reports whether a variable is meant for something else: for the tests of this
// program, for a hook that calls it, or set by Kubernetes and Docker for every program beside a
// service that is called ferry.
func isNotForFlags(name, value string) bool {
	for _, prefix := range []string{"FERRY_TEST_", "FERRY_MODEL_", "FERRY_FAR_TIMES", "FERRY_KILLS", "FERRY_FILES"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if slices.Contains(call.Variables(), name) {
		return true
	}
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

var serviceVariable = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
