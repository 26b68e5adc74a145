package config

import (
	"maps"
	"slices"
	"strings"
)

// Environ is an environment by variable name.
type Environ map[string]string

// ParseEnviron reads the form of os.Environ. Of variables with the same name the first one is used.
func ParseEnviron(list []string) Environ {
	e := Environ{}
	for _, kv := range list {
		name, value, ok := strings.Cut(kv, "=")
		if _, again := e[name]; ok && name != "" && !again {
			e[name] = value
		}
	}
	return e
}

// with returns a copy in which a variable has another value.
func (e Environ) with(name, value string) Environ {
	c := Environ{}
	maps.Copy(c, e)
	c[name] = value
	return c
}

// list returns the form of os.Environ, sorted.
func (e Environ) list() []string {
	list := make([]string, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}
