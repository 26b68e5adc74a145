package drive

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/nameenc"
)

// inPaths is what names of Drive may have, and elements of paths may not: they are shown as what
// looks like it.
const inPaths = nameenc.Slash | nameenc.Dot

// write returns an element of a path as Drive has it.
func (r *Remote) write(base string) string { return r.options.Encoding.Encode(inPaths.Decode(base)) }

// show returns a name of Drive as an element of a path. It is "" or another one for names that
// write does not make.
func (r *Remote) show(name string) string { return inPaths.Encode(r.options.Encoding.Decode(name)) }

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return r.fail("checkname", name, r.checkName(name))
}

func (r *Remote) checkName(name string) error {
	if !remote.ValidPath(name) {
		return remote.ErrInvalid
	}
	if name == "." {
		return nil
	}
	if remote.AnyElem(name, func(base string) bool { return r.show(r.write(base)) != base }) {
		return remote.ErrBadName
	}
	return nil
}

// checkNew is what every operation that makes or changes something begins with.
func (r *Remote) checkNew(ctx context.Context, name string) error {
	if err := remote.Check(ctx, name); err != nil {
		return err
	}
	if r.readOnly() {
		return remote.ErrPermission
	}
	return r.checkName(name)
}

// readOnly reports whether nothing can be changed by the options.
func (r *Remote) readOnly() bool {
	if r.options.TrashedOnly {
		return true
	}
	for _, scope := range Scopes(r.options.Scope) {
		if !strings.HasSuffix(scope, ".readonly") {
			return false
		}
	}
	return true
}
