package smb

import (
	"context"
	"strings"
	"unicode/utf8"

	"ferry/remote"
	"ferry/remote/nameenc"
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

// holds reports whether a file may have the name: it is not hidden, nor too long as it is written,
// nor a device or a path to the server.
func (r *Remote) holds(elem string) bool {
	held := r.o.Encoding.Encode(elem)
	return !partname.Hidden(elem) && nameenc.UTF16Len(held) <= maxName && !strings.ContainsRune(held, '\\') && !device(held)
}

// device reports whether Windows takes a name, whatever its extension, for that of a device; Samba
// lists such a file under another name.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	if len(stem) < 4 || stem[:3] != "COM" && stem[:3] != "LPT" {
		return false
	}
	digit := stem[3:]
	return utf8.RuneCountInString(digit) == 1 && strings.Contains("123456789¹²³", digit)
}

// A target is a file as the server knows it.
type target struct {
	share string // "" = the server itself
	path  string // in the share, separated by backslashes; "" = all of it
}

// target returns name as the server knows it.
func (r *Remote) target(name string) target {
	full := r.root
	if name != "." {
		full = strings.TrimPrefix(full+"/"+name, "/")
	}
	share, below, _ := strings.Cut(full, "/")
	if below == "" {
		return target{share: share}
	}
	return target{share, strings.ReplaceAll(r.o.Encoding.EncodePath(below), "/", `\`)}
}

// below returns the file called base, as on the disk, in the directory t.
func (t target) below(base string) target {
	if t.path == "" {
		return target{t.share, base}
	}
	return target{t.share, t.path + `\` + base}
}

// rest returns what follows dir in t, if t is dir or below it. Case does not count: what is not
// meant steps aside for nothing.
func (t target) rest(dir target) (string, bool) {
	n := len(dir.path)
	if !strings.EqualFold(t.share, dir.share) || len(t.path) < n || !strings.EqualFold(t.path[:n], dir.path) {
		return "", false
	}
	return t.path[n:], n == 0 || len(t.path) == n || t.path[n] == '\\'
}

// with calls use with a connection, which is shared with others.
func (r *Remote) with(ctx context.Context, op, name string, use func(c *conn) error) error {
	if err := r.check(ctx, op, name); err != nil {
		return err
	}
	return fail(op, name, r.pool.Use(ctx, use))
}
