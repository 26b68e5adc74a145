package access

import (
	"fmt"
	"strings"
)

// anyName is the element of a Path that matches every element; root is the name of the root in an
// ftp.FS.
const (
	anyName = "*"
	root    = "."
)

// CheckPath returns an error unless path is one of a Rule, Pattern or Mount: absolute, without
// empty elements, "." and "..", and with "*" only as a whole element.
func CheckPath(path string) error {
	if path == "/" {
		return nil
	}
	rest, absolute := strings.CutPrefix(path, "/")
	if !absolute {
		return fmt.Errorf("%q is not a path from the root; write %q", path, "/"+path)
	}
	for element := range strings.SplitSeq(rest, "/") {
		switch {
		case element == "", element == ".", element == "..":
			return fmt.Errorf("%q has an empty element, . or ..; write names between single slashes", path)
		case strings.ContainsRune(element, '*') && element != anyName:
			return fmt.Errorf("%q has * inside an element; it stands for a whole one, as in /*/in", path)
		case strings.ContainsAny(element, "\x00\r\n"):
			return fmt.Errorf("%q has a line end or NUL; no client can send that", path)
		}
	}
	return nil
}

// elementsOf returns the elements of an absolute path, or of a name of an ftp.FS.
func elementsOf(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" || path == root {
		return nil
	}
	return strings.Split(path, "/")
}

// join returns the name of the entry called base in dir.
func join(dir, base string) string {
	if dir == root {
		return base
	}
	return dir + "/" + base
}

// split returns the directory that name is in, and the last element. The root is in itself.
func split(name string) (dir, base string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return root, name
}

func parent(name string) string {
	dir, _ := split(name)
	return dir
}

// depthOf returns the number of elements of name.
func depthOf(name string) int {
	if name == root {
		return 0
	}
	return strings.Count(name, "/") + 1
}

// covers reports whether elements match the first elements of name.
func covers(elements []string, name string, fold bool) bool {
	if name == root {
		name = ""
	}
	for _, e := range elements {
		if name == "" {
			return false
		}
		var first string
		first, name, _ = strings.Cut(name, "/")
		if !matches(e, first, fold) {
			return false
		}
	}
	return true
}

// matches reports whether an element of a Path matches an element of a name.
func matches(element, name string, fold bool) bool {
	return element == anyName || element == name || fold && strings.EqualFold(element, name)
}

// beats reports whether the path a decides rather than b. Both cover the same name.
func beats(a, b []string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	for i := range a {
		if (a[i] == anyName) != (b[i] == anyName) {
			return b[i] == anyName
		}
	}
	return false
}
