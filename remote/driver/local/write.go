package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.put(ctx, name, body, nil, o)
}

// PutIf implements remote.ConditionalPutter. That there is no file the system checks itself. A
// version is compared just before; only calls of this Remote that have one take turns.
func (r *Remote) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	_, base := remote.Split(name)
	return r.put(ctx, name, body, &precondition{name, base, version, remote.ErrChanged}, o)
}

// put stores body, on a precondition unless that is nil.
func (r *Remote) put(
	ctx context.Context, name string, body io.Reader, only *precondition, o remote.PutOptions,
) (remote.Entry, error) {
	if err := check(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	s, err := r.begin(ctx, name, remote.StageOptions{Owner: partname.PutOwner})
	if err != nil {
		return remote.Entry{}, fail("put", name, err)
	}
	s.at.only = only
	e, err := s.fill(ctx, body, o)
	if err != nil {
		_ = s.Abort()
		return remote.Entry{}, fail("put", name, err)
	}
	return e, nil
}

// fill copies body into the stage and publishes it.
func (s *stage) fill(ctx context.Context, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	n, err := s.ReadFrom(remote.ContextReader(ctx, body))
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	if err != nil {
		return remote.Entry{}, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return remote.Entry{}, err
	}
	e, err := s.Commit(ctx, o.ModTime)
	if err != nil {
		return remote.Entry{}, err
	}
	m := metaOf(info)
	if found, err := s.r.Stat(ctx, s.Name); err == nil && found.ID == s.r.id(&m) {
		return found, nil
	}
	return e, nil // somebody has replaced it already
}

// Copy implements remote.Copier, by a reflink or inside the kernel where the file system can.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := check(ctx, "copy", from); err != nil {
		return err
	}
	if err := check(ctx, "copy", to); err != nil {
		return err
	}
	src, m, err := r.tree.openFile(from)
	switch {
	case err != nil:
		return fail("copy", from, err)
	case m.kind == directory:
		return fail("copy", from, remote.ErrIsDir)
	case src == nil:
		return fail("copy", from, remote.ErrPermission)
	}
	defer src.Close()
	s, err := r.begin(ctx, to, remote.StageOptions{Owner: partname.PutOwner})
	if err != nil {
		return fail("copy", to, err)
	}
	if err = copyHead(ctx, s.file, src, m.size); err == nil {
		_, err = s.Commit(ctx, m.modTime)
	}
	if err != nil {
		_ = s.Abort()
		return fail("copy", to, err)
	}
	return nil
}

// Remove implements remote.Remote. A link to a file is removed, and the file stays.
func (r *Remote) Remove(ctx context.Context, name string) error {
	if err := check(ctx, "remove", name); err != nil {
		return err
	}
	if name == "." {
		return fail("remove", name, remote.ErrIsDir)
	}
	d, base, err := r.parent(name)
	if err != nil {
		return fail("remove", name, err)
	}
	defer d.close()
	m, err := r.find(d, base, name)
	if err == nil && m.kind == directory {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = d.remove(base)
	}
	return fail("remove", name, err)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, name string) error {
	if err := check(ctx, "mkdir", name); err != nil {
		return err
	}
	if name == "." {
		return fail("mkdir", name, remote.ErrExist)
	}
	d, base, err := r.parent(name)
	if err != nil {
		return fail("mkdir", name, err)
	}
	defer d.close()
	return fail("mkdir", name, d.mkdir(base, r.o.DirPerm))
}

// Rmdir implements remote.Remote. A directory that holds nothing but unfinished uploads looks
// empty, and is removed with them, unless one is under way. A link to a directory is ErrPermission.
func (r *Remote) Rmdir(ctx context.Context, name string) error {
	if err := check(ctx, "rmdir", name); err != nil {
		return err
	}
	if name == "." {
		return fail("rmdir", name, remote.ErrPermission)
	}
	d, base, err := r.parent(name)
	if err != nil {
		return fail("rmdir", name, err)
	}
	defer d.close()
	return fail("rmdir", name, r.rmdir(ctx, d, base, name))
}

func (r *Remote) rmdir(ctx context.Context, d dir, base, name string) error {
	m, err := r.find(d, base, name)
	if err != nil {
		return err
	}
	if m.kind != directory {
		return remote.ErrNotDir
	}
	err = translate(d.rmdir(base))
	switch {
	case errors.Is(err, remote.ErrNotDir):
		return remote.ErrPermission
	case !errors.Is(err, remote.ErrNotEmpty):
		return err
	}
	inside, err := r.tree.dir(name)
	if err != nil {
		return err
	}
	defer inside.close()
	if err := r.parts.RemoveAll(ctx, &hiding{r: r, dir: inside, path: name}); err != nil {
		return err
	}
	return d.rmdir(base)
}

// timeGrain is what the coarsest file systems round times to.
const timeGrain = 2 * time.Second

// SetModTime implements remote.ModTimer. File systems put the nearest time that they can keep in
// the place of others.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.change(ctx, "setmodtime", name, func() error { return r.setModTime(name, t) })
}

func (r *Remote) setModTime(name string, t time.Time) error {
	if !expressible(t) {
		return remote.ErrInvalid
	}
	return remote.AttemptTime(t, timeGrain, func() (time.Time, error) {
		m, err := r.tree.stat(name)
		return m.modTime, err
	}, func(t time.Time) error { return r.tree.chtimes(name, t) })
}

// expressible reports whether the os package can say t.
func expressible(t time.Time) bool { return time.Unix(0, t.UnixNano()).Equal(t) }

// CheckTime implements remote.TimeChecker. What lies beyond the times that are common is a
// question of the file system.
func (r *Remote) CheckTime(name string, t time.Time) error {
	switch {
	case !expressible(t):
		return fail("checktime", name, remote.ErrInvalid)
	case !remote.CommonTime(t):
		return fail("checktime", name, remote.ErrUnsupported)
	}
	return nil
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.change(ctx, "setmode", name, func() error { return r.tree.chmod(name, perm.Perm()) })
}

func (r *Remote) change(ctx context.Context, op, name string, set func() error) error {
	if err := check(ctx, op, name); err != nil {
		return err
	}
	d, base, err := r.parent(name)
	if err != nil {
		return fail(op, name, err)
	}
	defer d.close()
	if _, err = r.find(d, base, name); err == nil {
		err = set()
	}
	return fail(op, name, err)
}
