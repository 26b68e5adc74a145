package onedrive

import (
	"context"
	"io/fs"
	"strings"
	"unicode/utf16"

	"ferry/remote"
)

const (
	maxName = 255 // characters in a name
	maxPath = 400 // characters in a path, from the root of the drive on
)

// fail wraps err, unless it is nil.
func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// check is what every operation on something that exists begins with.
func check(ctx context.Context, name string) error {
	switch {
	case !remote.ValidPath(name):
		return remote.ErrInvalid
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case hasElem(name, hidden):
		return remote.ErrNotExist
	}
	return nil
}

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return fail("checkname", name, r.checkNew(context.Background(), name))
}

// checkNew is what every operation that makes something begins with.
func (r *Remote) checkNew(ctx context.Context, name string) error {
	switch {
	case !remote.ValidPath(name):
		return remote.ErrInvalid
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case name == ".":
		return nil
	}
	encoded := r.opt.Encoding.EncodePath(name)
	switch {
	case hasElem(name, hidden), hasElem(encoded, cannotBe), units(encoded)+units(r.below)+1 > maxPath:
		return remote.ErrBadName
	}
	return nil
}

// cannotBe reports whether the service refuses a name, as it is written there.
func cannotBe(elem string) bool {
	lower := strings.ToLower(elem)
	switch lower {
	case ".lock", "con", "prn", "aux", "nul", "desktop.ini":
		return true
	}
	if len(lower) == 4 && (strings.HasPrefix(lower, "com") || strings.HasPrefix(lower, "lpt")) && '0' <= lower[3] && lower[3] <= '9' {
		return true
	}
	return strings.Contains(lower, "_vti_") || strings.HasPrefix(lower, "~$") || len(elem) > maxName && units(elem) > maxName
}

// units is how long the service takes a name for.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func hasElem(name string, is func(string) bool) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if is(elem) {
			return true
		}
	}
	return false
}
