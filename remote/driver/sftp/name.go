package sftp

import (
	"context"
	"strings"

	"ferry/remote"
	"ferry/remote/partname"
)

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return r.check(context.Background(), "checkname", name)
}

// check is what every operation begins with.
func (r *Remote) check(ctx context.Context, op, name string) error {
	return fail(op, name, remote.CheckHeld(ctx, name, r.holds))
}

// holds reports whether a file may have the name: it is not hidden, nor too long as it is written.
func (r *Remote) holds(elem string) bool {
	return !partname.Hidden(elem) && len(r.o.Encoding.Encode(elem)) <= partname.MaxLen
}

// path returns name as the server knows it.
func (r *Remote) path(name string) string {
	if name == "." {
		if r.root == "" {
			return "."
		}
		return r.root
	}
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = r.o.Encoding.Encode(e)
	}
	held := strings.Join(elements, "/")
	switch r.root {
	case "":
		return held
	case "/":
		return "/" + held
	}
	return r.root + "/" + held
}

// with calls use with a connection, which is shared with others.
func (r *Remote) with(ctx context.Context, op, name string, use func(c *conn) error) error {
	if err := r.check(ctx, op, name); err != nil {
		return err
	}
	return fail(op, name, r.pool.Use(ctx, use))
}
