package onedrive

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/nameenc"
)

const (
	maxName = 255 // characters in a name
	maxPath = 400 // characters in a path, from the root of the drive on
)

// check is what every operation on something that exists begins with.
func check(ctx context.Context, name string) error {
	if err := remote.Check(ctx, name); err != nil {
		return err
	}
	if remote.AnyElem(name, hidden) {
		return remote.ErrNotExist
	}
	return nil
}

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return remote.Fail("checkname", name, r.checkNew(context.Background(), name))
}

// checkNew is what every operation that makes something begins with.
func (r *Remote) checkNew(ctx context.Context, name string) error {
	if err := remote.Check(ctx, name); err != nil || name == "." {
		return err
	}
	encoded := r.opt.Encoding.EncodePath(name)
	switch {
	case remote.AnyElem(name, hidden), remote.AnyElem(encoded, cannotBe), nameenc.UTF16Len(encoded)+nameenc.UTF16Len(r.below)+1 > maxPath:
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
	return strings.Contains(lower, "_vti_") || strings.HasPrefix(lower, "~$") || len(elem) > maxName && nameenc.UTF16Len(elem) > maxName
}
