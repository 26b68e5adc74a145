package users

import (
	"errors"
	"fmt"
	"strings"
)

// A Setting is a key with its value, both in TOML.
type Setting struct{ Key, TOML string }

// ParseSetting reads KEY=VALUE as a command line has it: a value needs no quotes, commas stand
// between those of an array, and the path of permissions and mounts follows a dot, as in
// permissions./in=upload,mkdir. A password is refused: other users of the machine see arguments.
func ParseSetting(arg string) (Setting, error) {
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		return Setting{}, fmt.Errorf("%q lacks a value: write KEY=VALUE", arg)
	}
	name, path, hasPath := strings.Cut(name, ".")
	if name == "password" {
		return Setting{}, errors.New("a password cannot be among the arguments, where others see it: it is asked for, or the first line of standard input")
	}
	list := TOMLStrings(strings.Split(value, ","))
	candidates := []string{tomlString(value), value, list}
	if hasPath {
		if name != "permissions" && name != "mounts" {
			return Setting{}, fmt.Errorf("%s has no parts: only permissions and mounts are followed by a path", name)
		}
		if name == "permissions" {
			candidates = []string{list}
		}
		name += "." + tomlKey(path)
	}
	var mistake error
	for i, candidate := range candidates {
		err := checkSetting(name, candidate)
		if err == nil {
			return Setting{Key: name, TOML: candidate}, nil
		}
		if i < 2 && err != errNotTOML {
			mistake = err
		}
	}
	return Setting{}, mistake
}

var errNotTOML = errors.New("it is not TOML")

// checkSetting reads a key and its value in the table of a user.
func checkSetting(name, value string) error {
	b, err := decode([]byte(name + " = " + value))
	if err != nil || len(b.values) != 1 {
		return errNotTOML
	}
	r := &reader{}
	newKeySet().read((&place{r: r}).at("users").at("x"), b, true)
	if len(r.mistakes) > 0 {
		return errors.New(r.mistakes[0].text)
	}
	return nil
}
