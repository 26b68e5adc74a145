package access

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"ferry/ftp"
)

// New returns under as a user sees it to whom p applies: a tree with all abilities of ftp. It is
// for one session: drop-boxes show what was stored through it. Closing it closes under.
//
// What is refused is refused before a byte is taken, with an fs.ErrPermission that has a hint. A
// name that the user may not know is refused as one that does not exist. If under finds names in
// any case, paths of the policy match in any case too, or a rule could be passed by.
func New(under ftp.FS, p Policy) ftp.FS {
	if len(p.Rules) == 0 && len(p.Patterns) == 0 && p.MaxFileSize <= 0 && (p.OnConflict == "" || p.OnConflict == Replace) {
		return under
	}
	t := &tree{under: under, rules: compile(p, ftp.Forward{FS: under}.FoldsCase()), limit: p.MaxFileSize, conflict: p.OnConflict}
	if t.conflict == Beside {
		t.sent = &sentNames{}
	}
	if t.rules.ownOnly {
		t.own = newOwn(t.rules.fold)
	}
	return t
}

// tree is an ftp.FS with a Policy.
type tree struct {
	under    ftp.FS
	rules    *rules
	limit    int64 // bytes of a file; 0 = none
	own      *own  // nil without drop-boxes
	conflict Conflict
	sent     *sentNames // nil unless Beside
}

// Close implements ftp.FS.
func (t *tree) Close() error { return t.under.Close() }

// Limits implements ftp.Limited.
func (t *tree) Limits() ftp.Limits { return ftp.Forward{FS: t.under}.Limits() }

// FoldsCase implements ftp.CaseFolder.
func (t *tree) FoldsCase() bool { return t.rules.fold }

// same reports whether two names are of one file.
func (t *tree) same(a, b string) bool { return a == b || t.rules.fold && strings.EqualFold(a, b) }

// grant returns what the client may do with name if that is a k.
func (t *tree) grant(name string, k kind) grant { return t.rules.of(name, k, t.own.of(name)) }

// Permitted implements ftp.Permitter.
func (t *tree) Permitted(name string, info fs.FileInfo) ftp.Perm {
	perm := ftp.PermAll
	if p, knows := t.under.(ftp.Permitter); knows {
		perm = p.Permitted(name, info)
	}
	k := kindOf(info)
	if t.conflict == Refuse && k == aFile {
		perm &^= ftp.PermWrite
	}
	return perm & t.grant(name, k).perm(k)
}

// Stat implements ftp.FS.
func (t *tree) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return t.stat(ctx, t.sent.of(name), t.under.Stat)
}

// StatSize implements ftp.Sizer.
func (t *tree) StatSize(ctx context.Context, name string) (fs.FileInfo, error) {
	name = t.sent.of(name)
	if s, able := t.under.(ftp.Sizer); able {
		return t.stat(ctx, name, s.StatSize)
	}
	return t.stat(ctx, name, t.under.Stat)
}

type statFunc func(ctx context.Context, name string) (fs.FileInfo, error)

// stat describes name if the client may know of it.
func (t *tree) stat(ctx context.Context, name string, ask statFunc) (fs.FileInfo, error) {
	if !t.grant(name, aFile).there && !t.grant(name, aPart).there && !t.grant(name, aDir).there {
		return nil, notThere("stat", name)
	}
	info, err := ask(ctx, name)
	if err != nil {
		return nil, t.veil("stat", name, err)
	}
	if !t.grant(name, kindOf(info)).there {
		return nil, notThere("stat", name)
	}
	return info, nil
}

// List implements ftp.FS.
func (t *tree) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		t.sent.forget("")
		g := t.grant(dir, aDir)
		if !g.lists {
			err := notThere("list", dir)
			if g.there {
				err = forbid("list", dir, List)
			}
			yield(nil, err)
			return
		}
		shows := t.filter(dir)
		for info, err := range t.under.List(ctx, dir) {
			switch {
			case err != nil:
				err = t.veil("list", dir, err)
			case !shows(info):
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// filter returns which entries of dir are listed. Most are as all others in their directory: those
// that no path of a rule leads to. Only a path that ends with the name leads to a file.
func (t *tree) filter(dir string) func(fs.FileInfo) bool {
	in := t.rules.inside(dir)
	common := in.Verbs.has(List) && !in.OwnOnly && len(t.rules.patterns.all) == 0
	depth := depthOf(dir)
	var files, dirs []string
	t.rules.anyBelow(dir, depth+1, func(c *rule) bool {
		e := c.elements[depth]
		dirs = append(dirs, e)
		if len(c.elements) == depth+1 && e != anyName {
			files = append(files, e)
		}
		return false
	})
	return func(info fs.FileInfo) bool {
		special, named := !common, files
		if info.IsDir() {
			named = dirs
		}
		for _, e := range named {
			special = special || matches(e, info.Name(), t.rules.fold)
		}
		return !special || t.grant(join(dir, info.Name()), kindOf(info)).listed
	}
}

// check returns nil if verb may be applied to name, which is one of kinds. It asks the tree which,
// if that decides.
func (t *tree) check(ctx context.Context, op, name string, verb Verbs, kinds ...kind) error {
	granted, there := 0, false
	for _, k := range kinds {
		g := t.grant(name, k)
		there = there || g.there
		if g.verbs.has(verb) {
			granted++
		}
	}
	switch {
	case granted == len(kinds):
		return nil
	case !there:
		return notThere(op, name)
	case granted == 0:
		return forbid(op, name, verb)
	}
	info, err := t.stat(ctx, name, t.under.Stat)
	if err != nil {
		return err
	}
	if !t.grant(name, kindOf(info)).verbs.has(verb) {
		return forbid(op, name, verb)
	}
	return nil
}

// veil returns err, an answer of the tree below for name, without what the client may not know: of
// what kind an entry is that it cannot see.
func (t *tree) veil(op, name string, err error) error {
	if (errors.Is(err, ftp.ErrIsDir) || errors.Is(err, ftp.ErrNotDir)) && !t.open(name) {
		return notThere(op, name)
	}
	return err
}

// open reports whether the client may list all directories on the way to name, but for what the
// patterns hide.
func (t *tree) open(name string) bool {
	for dir := parent(name); ; dir = parent(dir) {
		if c := t.rules.inside(dir); !c.Verbs.has(List) || c.OwnOnly {
			return false
		}
		if dir == root {
			return t.grant(name, aFile).there && t.grant(name, aDir).there
		}
	}
}

// exists reports whether there is a file called name, finished and perhaps unknown to the client.
func (t *tree) exists(ctx context.Context, op, name string) (bool, error) {
	info, err := t.under.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, t.veil(op, name, err)
	case info.IsDir() && !t.open(name):
		return false, refuse(op, name, fs.ErrPermission, hintName)
	case info.IsDir():
		return false, &fs.PathError{Op: op, Path: name, Err: ftp.ErrIsDir}
	}
	return kindOf(info) == aFile, nil
}

// Open implements ftp.FS. It returns what the tree below returns, so that a file stays one.
func (t *tree) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	name = t.sent.of(name)
	if err := t.check(ctx, "open", name, Download, aFile); err != nil {
		return nil, err
	}
	r, err := t.under.Open(ctx, name, off)
	if err != nil {
		return nil, t.veil("open", name, err)
	}
	return r, nil
}

// Hash implements ftp.Hasher.
func (t *tree) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	name = t.sent.of(name)
	if err := t.check(ctx, "hash", name, Download, aFile); err != nil {
		return nil, err
	}
	h, able := t.under.(ftp.Hasher)
	if !able {
		return nil, errors.ErrUnsupported
	}
	sum, err := h.Hash(ctx, name, algorithm)
	if err != nil {
		return nil, t.veil("hash", name, err)
	}
	return sum, nil
}

// Remove implements ftp.FS.
func (t *tree) Remove(ctx context.Context, name string) error {
	name = t.sent.of(name)
	if err := t.check(ctx, "remove", name, Delete, aFile, aPart); err != nil {
		return err
	}
	if err := t.under.Remove(ctx, name); err != nil {
		return t.veil("remove", name, err)
	}
	t.own.remove(name)
	t.sent.forget(name)
	return nil
}

// Rmdir implements ftp.FS.
func (t *tree) Rmdir(ctx context.Context, dir string) error {
	if err := t.check(ctx, "rmdir", dir, Rmdir, aDir); err != nil {
		return err
	}
	if err := t.under.Rmdir(ctx, dir); err != nil {
		return t.veil("rmdir", dir, err)
	}
	t.own.remove(dir)
	return nil
}

// SetsTimes implements ftp.TimeTeller: somewhere the user may, and the tree can.
func (t *tree) SetsTimes() bool { return t.rules.grant(Mtime) && ftp.Forward{FS: t.under}.SetsTimes() }

// SetModTime implements ftp.ModTimer.
func (t *tree) SetModTime(ctx context.Context, name string, when time.Time) error {
	name = t.sent.of(name)
	if err := t.check(ctx, "chtimes", name, Mtime, aFile, aDir); err != nil {
		return err
	}
	m, able := t.under.(ftp.ModTimer)
	if !able {
		return refuse("chtimes", name, errors.ErrUnsupported, hintNoMtime)
	}
	return t.veil("chtimes", name, m.SetModTime(ctx, name, when))
}

// SetMode implements ftp.Moder.
func (t *tree) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	name = t.sent.of(name)
	if err := t.check(ctx, "chmod", name, Chmod, aFile, aDir); err != nil {
		return err
	}
	m, able := t.under.(ftp.Moder)
	if !able {
		return refuse("chmod", name, errors.ErrUnsupported, hintNoChmod)
	}
	return t.veil("chmod", name, m.SetMode(ctx, name, perm))
}

// Free implements ftp.Spacer. No more can be stored than the largest file.
func (t *tree) Free(ctx context.Context, dir string) (int64, error) {
	if !t.grant(dir, aDir).there {
		return -1, notThere("free", dir)
	}
	free := int64(-1)
	if s, able := t.under.(ftp.Spacer); able {
		var err error
		if free, err = s.Free(ctx, dir); err != nil {
			return -1, err
		}
	}
	if t.limit > 0 && (free < 0 || free > t.limit) {
		free = t.limit
	}
	return free, nil
}
