package config

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Remote is a parsed remote string: a remote of a type given in the string (Type), or one of the
// configuration (Name). Exactly one of the two is set.
type Remote struct {
	Name   string
	Type   string
	Params map[string]string // nil if none
	Path   string
}

// LocalType is the Type of a path on this machine.
const LocalType = "local"

// ParseRemote reads a remote string:
//
//	/srv/ftp, ./dir, dir               a local path
//	name:path                          a remote of the configuration
//	:type:path                         a remote of that type with default options
//	name,key=value,key2="v,:":path     either of them with options changed
//
// A string with a slash or backslash before its first colon or comma, or without a colon, is a
// local path. A value ends at the first comma or colon, unless it is quoted from its beginning with
// ' or "; a literal quote is doubled. A key alone is "true". On Windows a single letter before a
// colon is a drive.
func ParseRemote(s string) (Remote, error) {
	if s == "" {
		return Remote{}, errors.New("the remote is empty: name a directory, or remote:path")
	}
	onTheSpot := s[0] == ':'
	rest := strings.TrimPrefix(s, ":")
	end := strings.IndexAny(rest, `:,/\`)
	if !onTheSpot && isLocal(s, end) {
		return Remote{Type: LocalType, Path: s}, nil
	}
	if end < 0 || rest[end] == '/' || rest[end] == '\\' {
		return Remote{}, fmt.Errorf("%q begins with a colon and lacks a second one: write :type:path, or ./%s for a local path", s, s)
	}
	name := rest[:end]
	if err := checkRemoteName(name); err != nil {
		return Remote{}, fmt.Errorf("%q: %w", name, err)
	}
	r := Remote{Name: name}
	if onTheSpot {
		r = Remote{Type: name}
	}
	rest = rest[end:]
	for rest[0] == ',' {
		key, value, tail, err := cutParam(rest[1:])
		if err != nil {
			return Remote{}, fmt.Errorf("%q: %w", name, err) // the rest may hold a password
		}
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[key] = value
		rest = tail
	}
	r.Path = rest[1:]
	return r, nil
}

// isLocal reports whether s, whose first special character is at end, is a local path.
func isLocal(s string, end int) bool {
	if end < 0 || !strings.Contains(s, ":") || s[end] == '/' || s[end] == '\\' {
		return true
	}
	return runtime.GOOS == "windows" && end == 1 && s[1] == ':' && s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z'
}

// checkRemoteName accepts letters and digits of any script, _ - . + @ and inner spaces; no hyphen
// or space at the beginning, no space at the end.
func checkRemoteName(name string) error {
	if name == "" {
		return errors.New("the name of the remote is empty")
	}
	for _, r := range name {
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.+@ ", r) {
			return fmt.Errorf("the name of a remote cannot hold %q (for a local path write ./ in front)", r)
		}
	}
	if name[0] == '-' || name[0] == ' ' || name[len(name)-1] == ' ' {
		return errors.New("a space or - comes first in the name of the remote, or a space last")
	}
	return nil
}

// cutParam parses one key=value at the start of s and returns the rest, which begins with a comma
// or a colon.
func cutParam(s string) (key, value, rest string, err error) {
	end := strings.IndexAny(s, "=,:")
	if end < 0 {
		return "", "", "", errors.New("a colon must come between the options of a remote and its path")
	}
	key, rest = s[:end], s[end:]
	if !isParamKey(key) {
		return "", "", "", fmt.Errorf("%q is not the name of an option: use letters, digits, dots and underscores", key)
	}
	if rest[0] != '=' {
		return key, "true", rest, nil
	}
	value, rest, err = cutValue(rest[1:])
	if err != nil {
		return "", "", "", fmt.Errorf("option %s: %w", key, err)
	}
	return key, value, rest, nil
}

func isParamKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if !(c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z') {
			return false
		}
	}
	return key != ""
}

// cutValue parses a value, quoted or not, at the start of s.
func cutValue(s string) (value, rest string, err error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		end := strings.IndexAny(s, ",:")
		if end < 0 {
			return "", "", errors.New("a colon must come between the value and the path")
		}
		return s[:end], s[end:], nil
	}
	quote := s[:1]
	var b strings.Builder
	for s = s[1:]; ; s = s[1:] {
		end := strings.Index(s, quote)
		if end < 0 {
			return "", "", errors.New("the quote is not closed")
		}
		b.WriteString(s[:end])
		s = s[end+1:]
		if !strings.HasPrefix(s, quote) {
			break
		}
		b.WriteString(quote)
	}
	if s == "" || s[0] != ',' && s[0] != ':' {
		return "", "", errors.New("a comma or a colon must follow the closing quote")
	}
	return b.String(), s, nil
}

// label returns the remote without its options, which may be secret: nas, :s3.
func (r Remote) label() string {
	if r.Name != "" {
		return r.Name
	}
	return ":" + r.Type
}
