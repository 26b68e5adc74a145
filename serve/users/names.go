package users

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Anybody is the name of the user whose values hold for every name that has no table of its own.
// Only a remote can know them all, so it needs auth = "remote".
const Anybody = "*"

const maxName = 64

// CheckName refuses what cannot be the name of a user or of a group. A name is one element of a
// path, one field of a log line and no option of a command, and no part of it is replaced in a
// remote.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("a name cannot be empty")
	case !utf8.ValidString(name):
		return errors.New("a name is of UTF-8")
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("a name has at most %d characters", maxName)
	case name == "." || name == "..":
		return fmt.Errorf("%q is a directory, and cannot be a name", name)
	case name[0] == '-':
		return fmt.Errorf("%q begins with a hyphen, as options do: a name cannot", name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%q begins or ends with a space: a name cannot", name)
	case name != Anybody && strings.Contains(name, "*"):
		return fmt.Errorf(`%q cannot be a name: "*" alone stands for all who have no table`, name)
	}
	for _, r := range name {
		if strings.ContainsRune(`/\:]{}`, r) || !unicode.IsPrint(r) {
			return fmt.Errorf(`%q cannot be a name: it holds %q (no / \ : ] { } and no control characters)`, name, r)
		}
	}
	return nil
}
