package dropbox

import (
	"context"
	"strings"
	"unicode/utf16"

	"ferry/remote"
)

// maxName is the longest element of a path, in characters of UTF-16.
const maxName = 255

// ignored are names, in lower case, that Dropbox takes for what operating systems leave lying
// about.
var ignored = [...]string{"desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr", ".dropbox.cache"}

// path is how requests name something. The root of an account is "".
func (r *Remote) path(name string) string {
	if name == "." {
		return r.root
	}
	return r.root + "/" + r.opt.Encoding.EncodePath(name)
}

// check is what every operation on something that exists begins with.
func check(ctx context.Context, name string) error {
	if !remote.ValidPath(name) {
		return remote.ErrInvalid
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return fail("checkname", name, r.checkNew(context.Background(), name))
}

// checkNew is what every operation that makes something begins with.
func (r *Remote) checkNew(ctx context.Context, name string) error {
	if err := check(ctx, name); err != nil || name == "." {
		return err
	}
	for elem := range strings.SplitSeq(r.opt.Encoding.EncodePath(name), "/") {
		if !storable(elem) {
			return remote.ErrBadName
		}
	}
	return nil
}

// storable reports whether Dropbox takes a name, as far as it says.
func storable(elem string) bool {
	for _, name := range ignored {
		if strings.EqualFold(elem, name) {
			return false
		}
	}
	return len(elem) <= maxName || len(utf16.Encode([]rune(elem))) <= maxName
}

// decode returns the name that Dropbox has as written, and why it is none.
func (r *Remote) decode(written string) (name, bad string) {
	name = r.opt.Encoding.Decode(written)
	switch {
	case !remote.ValidName(name):
		return "", remote.OmittedName
	case r.opt.Encoding.Encode(name) != written:
		return "", remote.OmittedEncoding
	}
	return name, ""
}

// nameOf returns the name of what has a path, which is decoded as well as it can be; ok is false
// where that is not in the remote.
func (r *Remote) nameOf(path string) (name string, ok bool) {
	if len(path) < len(r.root) || !strings.EqualFold(path[:len(r.root)], r.root) {
		return "", false
	}
	rest := path[len(r.root):]
	if rest == "" {
		return ".", true
	}
	if rest[0] != '/' {
		return "", false
	}
	elems := strings.Split(rest[1:], "/")
	for i, e := range elems {
		elems[i] = r.opt.Encoding.Decode(e)
	}
	name = strings.Join(elems, "/")
	return name, remote.ValidPath(name)
}
