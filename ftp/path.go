package ftp

import (
	"errors"
	"strings"
)

// errBadPath refuses a name that no command line and no listing can carry (RFC 959, section 5.3.2:
// a pathname holds neither CR nor LF).
var errBadPath = errors.New("a name must not contain CR, LF or NUL")

// resolve turns arg, a path as the client typed it, into a name of the FS: relative to cwd unless
// it begins with a slash. ".." stops at the root, empty and "." elements vanish, and an empty arg
// is cwd. Everything else is kept byte for byte: spaces at either end, backslashes, bytes that are
// not UTF-8.
//
// cwd has the shape that io/fs.ValidPath demands, and so has the result, but neither needs to be
// UTF-8.
func resolve(cwd, arg string) (string, error) {
	if !showable(arg) {
		return "", errBadPath
	}
	if arg == "" {
		return cwd, nil
	}
	if cwd == "." && isClean(arg) {
		return arg, nil
	}
	b := make([]byte, 0, len(cwd)+1+len(arg))
	if arg[0] != '/' && cwd != "." {
		b = append(b, cwd...)
	}
	for element := range strings.SplitSeq(arg, "/") {
		switch element {
		case "", ".":
		case "..":
			b = b[:max(0, strings.LastIndexByte(string(b), '/'))]
		default:
			if len(b) > 0 {
				b = append(b, '/')
			}
			b = append(b, element...)
		}
	}
	if len(b) == 0 {
		return ".", nil
	}
	return string(b), nil
}

// isClean reports whether arg is a name of the FS as it stands: resolving it against the root would
// not change it.
func isClean(arg string) bool {
	for element := range strings.SplitSeq(arg, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}

// showable reports whether name fits on one line. A listing leaves out what is not: a line end
// inside a name would let it forge other entries, and no command could name it anyway.
func showable(name string) bool {
	return strings.IndexByte(name, '\n') < 0 && strings.IndexByte(name, '\r') < 0 && strings.IndexByte(name, 0) < 0
}

// absolute is name as clients see it: with a slash in front.
func absolute(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

// quote returns name as the absolute path between double quotes that a 257 reply carries, each
// quote inside it doubled (RFC 959, appendix II).
func quote(name string) string {
	return `"` + strings.ReplaceAll(absolute(name), `"`, `""`) + `"`
}
