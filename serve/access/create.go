package access

import (
	"context"
	"errors"
	"io/fs"

	"ferry/ftp"
)

// room returns the rule for a new entry called name, and an error if none may have that name. What
// verb it takes is for the caller to ask the rule.
func (t *tree) room(op, name string, k kind) (*rule, error) {
	if !t.grant(parent(name), aDir).there {
		return nil, notThere(op, name)
	}
	switch t.rules.patterns.of(name, k == aDir) {
	case denied:
		return nil, refuse(op, name, fs.ErrPermission, hintPattern)
	case hidden:
		return nil, refuse(op, name, fs.ErrPermission, hintName)
	}
	if k != aDir {
		return t.rules.ofFile(name), nil
	}
	c := t.rules.inside(parent(name))
	if c.Verbs.has(Mkdir) && !t.grant(name, aDir).there {
		return nil, refuse(op, name, fs.ErrPermission, hintName)
	}
	return c, nil
}

// implied returns an error if directories on the way to name are missing that the client may not
// make: a storage may make them by itself.
func (t *tree) implied(ctx context.Context, name string) error {
	for dir := parent(name); dir != root && !t.rules.expected(dir); dir = parent(dir) {
		if !t.rules.inside(parent(dir)).Verbs.has(Mkdir) {
			_, err := t.Stat(ctx, dir)
			return err
		}
	}
	return nil
}

// Mkdir implements ftp.FS.
func (t *tree) Mkdir(ctx context.Context, dir string) error {
	c, err := t.room("mkdir", dir, aDir)
	if err != nil {
		return err
	}
	if !c.Verbs.has(Mkdir) {
		return forbid("mkdir", dir, Mkdir)
	}
	if err := t.implied(ctx, dir); err != nil {
		return err
	}
	err = t.under.Mkdir(ctx, dir)
	if errors.Is(err, fs.ErrExist) && !t.open(dir) {
		return refuse("mkdir", dir, fs.ErrExist, hintName)
	}
	if err != nil {
		return t.veil("mkdir", dir, err)
	}
	t.own.add(dir)
	return nil
}

// create is Create of the file called name. With keep it replaces none: a file that has the name is
// errTaken; with alone also an upload that is in progress.
func (t *tree) create(ctx context.Context, name string, off int64, keep, alone bool) (ftp.Upload, error) {
	c, err := t.room("create", name, aFile)
	if err != nil {
		return nil, err
	}
	again := Overwrite
	if off != 0 {
		again = Resume
	}
	may := c.Verbs
	if keep || !t.grant(name, aFile).verbs.has(again) {
		may &^= again
	}
	if !may.any(Upload | again) {
		return nil, forbid("create", name, Upload)
	}
	up, fresh := &upload{tree: t, name: name, left: -1}, false
	if !may.has(Upload | again) {
		exists := false
		if !alone { // then CreateNew looks
			exists, err = t.exists(ctx, "create", name)
		}
		switch {
		case err != nil:
			return nil, err
		case exists && !may.has(again):
			return nil, t.taken("create", name, again)
		case !exists && !may.has(Upload):
			return nil, forbid("create", name, Upload)
		}
		fresh = !exists
	}
	if err := t.implied(ctx, name); err != nil {
		return nil, err
	}
	if err := t.measure(ctx, up, off); err != nil {
		return nil, err
	}
	if fresh {
		up.Upload, err = ftp.Forward{FS: t.under}.CreateNew(ctx, name, off, alone)
	} else {
		up.Upload, err = t.under.Create(ctx, name, off)
	}
	switch {
	case fresh && errors.Is(err, fs.ErrExist):
		return nil, t.taken("create", name, again)
	case err != nil:
		return nil, t.veil("create", name, err)
	}
	return up.plain(), nil
}

// taken refuses the name of a file that may not be changed.
func (t *tree) taken(op, name string, verb Verbs) error {
	if !t.grant(name, aFile).there {
		return refuse(op, name, errTaken, hintName)
	}
	return refuse(op, name, errTaken, hintOf(verb))
}

// measure sets how many bytes may follow, and refuses a beginning that is too long already.
func (t *tree) measure(ctx context.Context, up *upload, off int64) error {
	if t.limit <= 0 {
		return nil
	}
	if off == ftp.AtEnd {
		info, err := t.under.Stat(ctx, up.name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return t.veil("create", up.name, err)
		}
		if err == nil {
			off = info.Size()
		}
	}
	up.left = t.limit - max(off, 0)
	if up.left < 0 {
		return tooLarge(up.name)
	}
	return nil
}
