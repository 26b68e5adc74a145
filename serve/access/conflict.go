package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"ferry/ftp"
)

// A Conflict says what becomes of a file that is sent under the name of another one, or renamed to
// it. A continuation (REST, APPE) is none: it goes on with the file.
type Conflict string

const (
	Replace Conflict = "overwrite" // the other one is replaced; so is ""
	Refuse  Conflict = "refuse"    // the new one is refused before a byte is taken
	Beside  Conflict = "rename"    // the new one gets another name: "a (1).jpg" for "a.jpg"
)

// Conflicts returns the values of a Conflict, as a user writes them.
func Conflicts() []string { return []string{string(Replace), string(Refuse), string(Beside)} }

// errTaken refuses a name because a file has it.
var errTaken = fmt.Errorf("a file has that name: %w", fs.ErrPermission)

// maxBeside is how many files of one name can be beside each other.
const maxBeside = 1 << 20

// numbered returns the k-th name for a file that is to be called name.
func numbered(name string, k int) string {
	if k == 0 {
		return name
	}
	dir, base := split(name)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	if stem == "" || len(ext) > maxName/2 {
		stem, ext = base, ""
	}
	number := fmt.Sprintf(" (%d)", k)
	for len(stem)+len(number)+len(ext) > maxName {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	return join(dir, stem+number+ext)
}

// maxName is how many bytes every storage takes for a name.
const maxName = 255

// besides calls do with names for a file that is to be called name, until do does not return
// errTaken.
func (t *tree) besides(ctx context.Context, op, name string, do func(name string) error) error {
	for k := 0; ; k++ {
		var err error
		if k, err = t.free(ctx, op, name, k); err != nil {
			return err
		}
		if err := do(numbered(name, k)); !errors.Is(err, errTaken) {
			return err
		}
	}
}

// free returns the number, k or a later one, of a name that no file has. With many files beside
// each other it looks at few of them.
func (t *tree) free(ctx context.Context, op, name string, k int) (int, error) {
	taken := k - 1
	for step := 1; ; step *= 2 {
		has, err := t.takes(ctx, op, name, k)
		if err != nil {
			return 0, err
		}
		if !has {
			break
		}
		taken, k = k, k+step
		if k > maxBeside {
			return 0, refuse(op, name, fs.ErrExist, hintName)
		}
	}
	for k-taken > 1 {
		middle := taken + (k-taken)/2
		has, err := t.takes(ctx, op, name, middle)
		switch {
		case err != nil:
			return 0, err
		case has:
			taken = middle
		default:
			k = middle
		}
	}
	return k, nil
}

// takes reports whether a file has the k-th name for name, or from the first on a directory.
func (t *tree) takes(ctx context.Context, op, name string, k int) (bool, error) {
	has, err := t.exists(ctx, op, numbered(name, k))
	if k > 0 && (errors.Is(err, ftp.ErrIsDir) || errors.Is(err, fs.ErrPermission)) {
		return true, nil
	}
	return has, err
}

// Create implements ftp.FS. A new file and the continuation of an unfinished upload take Upload,
// the replacement of a file takes Overwrite, its continuation Resume.
func (t *tree) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	if t.conflict == Beside && off == 0 {
		return t.createBeside(ctx, name)
	}
	if t.conflict == Beside {
		var err error
		if name, err = t.continued(ctx, name); err != nil {
			return nil, err
		}
	}
	return t.create(ctx, name, off, t.conflict == Refuse && off == 0, false)
}

// createBeside starts an upload of a file that is to be called name.
func (t *tree) createBeside(ctx context.Context, name string) (up ftp.Upload, err error) {
	if _, err := t.room("create", name, aFile); err != nil {
		return nil, err
	}
	err = t.besides(ctx, "create", name, func(to string) error {
		under, err := t.create(ctx, to, 0, true, true)
		if err != nil {
			return err
		}
		t.sent.note(name, to)
		p := &placed{under, to}
		if from, able := under.(io.ReaderFrom); able {
			up = &placedFrom{p, from}
		} else {
			up = p
		}
		return nil
	})
	return up, err
}

// A placed is an upload whose name was chosen.
type placed struct {
	ftp.Upload
	name string
}

// A placedFrom is a placed that is an io.ReaderFrom.
type placedFrom struct {
	*placed
	io.ReaderFrom
}

// Name implements ftp.Placed.
func (u *placed) Name() string { return u.name }

// Unwrap implements ftp.Wrapping.
func (u *placed) Unwrap() ftp.Upload { return u.Upload }

// Commit implements ftp.Upload. Somebody who replaces files may have stored one of that name since;
// the next attempt finds another name.
func (u *placed) Commit(ctx context.Context) error {
	err := u.Upload.Commit(ctx)
	if errors.Is(err, fs.ErrExist) {
		return refuse("commit", u.name, syscall.ESTALE, hintAgain)
	}
	return err
}

// continued returns the name of the file that a continuation of name goes on with: what this
// session sent under that name, or an unfinished upload that is to be beside it.
func (t *tree) continued(ctx context.Context, name string) (string, error) {
	if to := t.sent.of(name); to != name {
		return to, nil
	}
	k, err := t.free(ctx, "create", name, 0)
	if err != nil || k == 0 {
		return name, err
	}
	beside := numbered(name, k)
	info, err := t.under.Stat(ctx, beside)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name, nil
	case err != nil:
		return "", t.veil("create", name, err)
	case kindOf(info) == aPart:
		return beside, nil
	}
	return name, nil
}

// Rename implements ftp.FS. It takes Rename where the entry is, and Upload where it is to be, for a
// directory also Mkdir; to replace a file also Overwrite. Nothing is moved to where more may be
// read of it, and no directory into, out of or around paths with other rules.
func (t *tree) Rename(ctx context.Context, from, to string) error {
	_, err := t.RenameBeside(ctx, from, to)
	return err
}

// RenameBeside implements ftp.Placer.
func (t *tree) RenameBeside(ctx context.Context, from, to string) (name string, err error) {
	from = t.sent.of(from)
	if t.conflict != Beside || t.same(from, to) {
		return to, t.rename(ctx, from, to, t.conflict == Refuse)
	}
	info, err := t.stat(ctx, from, t.under.Stat)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return to, t.rename(ctx, from, to, false)
	}
	if _, err := t.room("rename", to, aFile); err != nil {
		return "", err
	}
	err = t.besides(ctx, "rename", to, func(beside string) error {
		name = beside
		return t.rename(ctx, from, beside, true)
	})
	if err == nil {
		t.sent.note(to, name)
	}
	return name, err
}
