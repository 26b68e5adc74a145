package webdav

import (
	"context"
	"crypto/rand"
	"strings"

	"ferry/remote"
	"ferry/remote/nameenc"
)

// maxName is the longest name that the disks below nearly all servers hold. The protocol has no way
// to ask.
const maxName = 255

// uploadPrefix begins the hidden names of uploads under way; uploadRandom letters and digits
// follow.
const (
	uploadPrefix = ".ferry-upload-"
	uploadRandom = 26
)

func newUploadName(dir string) string { return remote.Join(dir, uploadPrefix+rand.Text()) }

// isUpload reports whether base is the hidden name of an upload.
func isUpload(base string) bool {
	rest, ok := strings.CutPrefix(base, uploadPrefix)
	if !ok || len(rest) != uploadRandom {
		return false
	}
	for _, c := range []byte(rest) {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// check is what every operation on something that exists begins with.
func check(ctx context.Context, name string) error {
	if err := remote.Check(ctx, name); err != nil {
		return err
	}
	if remote.AnyElem(name, isUpload) {
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
	if err := remote.Check(ctx, name); err != nil {
		return err
	}
	if remote.AnyElem(name, isUpload) || tooLong(encode(r.encoding, name)) {
		return remote.ErrBadName
	}
	return nil
}

func tooLong(name string) bool {
	return remote.AnyElem(name, func(elem string) bool { return len(elem) > maxName })
}

// encode writes a path as the server gets it.
func encode(e nameenc.Encoding, path string) string {
	if e == 0 || path == "." {
		return path
	}
	return e.EncodePath(path)
}

// decode reads an element of a path as the server sent it.
func decode(e nameenc.Encoding, base string) string {
	if e == 0 {
		return base
	}
	return e.Decode(base)
}
