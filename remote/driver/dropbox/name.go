package dropbox

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/nameenc"
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

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return fail("checkname", name, r.checkNew(context.Background(), name))
}

// checkNew is what every operation that makes something begins with.
func (r *Remote) checkNew(ctx context.Context, name string) error {
	if err := remote.Check(ctx, name); err != nil || name == "." {
		return err
	}
	if remote.AnyElem(r.opt.Encoding.EncodePath(name), unstorable) {
		return remote.ErrBadName
	}
	return nil
}

// unstorable reports whether Dropbox refuses a name, as far as it says.
func unstorable(elem string) bool {
	for _, name := range ignored {
		if strings.EqualFold(elem, name) {
			return true
		}
	}
	return len(elem) > maxName && nameenc.UTF16Len(elem) > maxName
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
