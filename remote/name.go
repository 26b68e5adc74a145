package remote

import (
	"context"
	"strings"
)

// ValidPath reports whether name may be passed to a Remote: io/fs.ValidPath, except that it need
// not be UTF-8, and that NUL is refused.
func ValidPath(name string) bool {
	if name == "." {
		return true
	}
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			if name[i] == 0 {
				return false
			}
			continue
		}
		if elem := name[start:i]; elem == "" || elem == "." || elem == ".." {
			return false
		}
		start = i + 1
	}
	return true
}

// ValidName reports whether name can be the name of an entry, one element of a path: it is not
// empty, "." or "..", and holds neither a slash nor NUL. Drivers never yield an entry of another
// name that the server lists.
func ValidName(name string) bool {
	return name != "" && name != "." && name != ".." && strings.IndexByte(name, '/') < 0 && strings.IndexByte(name, 0) < 0
}

// AnyElem reports whether is holds of any element of name.
func AnyElem(name string, is func(elem string) bool) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if is(elem) {
			return true
		}
	}
	return false
}

// Check is what a call of a remote begins with: it is ErrInvalid unless all names are valid, and
// the cause of ctx if that has ended.
func Check(ctx context.Context, names ...string) error {
	for _, name := range names {
		if !ValidPath(name) {
			return ErrInvalid
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// CheckOpen is what Open adds to Check on a remote where nothing else tells that the root is no
// file: it is ErrInvalid for an offset below 0, and ErrIsDir for the root.
func CheckOpen(name string, off int64) error {
	switch {
	case off < 0:
		return ErrInvalid
	case name == ".":
		return ErrIsDir
	}
	return nil
}

// CheckHeld is Check, and ErrBadName for a name with an element that the remote cannot hold.
func CheckHeld(ctx context.Context, name string, holds func(elem string) bool) error {
	if ValidPath(name) && AnyElem(name, func(elem string) bool { return !holds(elem) }) {
		return ErrBadName
	}
	return Check(ctx, name)
}

// Split divides name into the directory that holds it and its last element: "a/b/c" into "a/b" and
// "c", "c" into "." and "c". The root has no parent: "." is divided into "." and ".".
func Split(name string) (dir, base string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return ".", name
	}
	return name[:i], name[i+1:]
}

// BaseOf returns the last element of name.
func BaseOf(name string) string {
	_, base := Split(name)
	return base
}

// Join puts base below dir, the inverse of Split.
func Join(dir, base string) string {
	if dir == "." {
		return base
	}
	return dir + "/" + base
}

// Below reports whether name lies somewhere below dir, and is not dir itself.
func Below(name, dir string) bool {
	if dir == "." {
		return name != "."
	}
	return len(name) > len(dir) && name[len(dir)] == '/' && name[:len(dir)] == dir
}
