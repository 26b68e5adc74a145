package ftp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// SingleUser returns a Backend for one user, who sees tree. An empty password accepts any. All
// sessions share the tree, and its Close is called at the end of each.
func SingleUser(user, password string, tree FS) Backend {
	return &singleUser{sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password)), password == "", tree}
}

type singleUser struct {
	user, password [sha256.Size]byte
	any            bool
	tree           FS
}

// Login implements Backend. It takes the same time whether the name or the password is wrong.
func (b *singleUser) Login(_ context.Context, _ Client, user, password string) (FS, error) {
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
	right := subtle.ConstantTimeCompare(u[:], b.user[:])
	match := subtle.ConstantTimeCompare(p[:], b.password[:])
	if right != 1 || match != 1 && !b.any {
		return nil, ErrDenied
	}
	return b.tree, nil
}

// DirFS is the tree below a local directory, for reading and writing. Nothing leads out of it, not
// even a symbolic link (see os.Root). A file is replaced when the new content is complete and on
// disk; an interrupted upload is dropped. Until then the upload is beside its target, under a name
// that clients cannot use.
func DirFS(root string) FS { return dirFS{root} }

type dirFS struct{ root string }

// uploadPrefix is the prefix of the names of unfinished uploads.
const uploadPrefix = ".ftp-upload-"

// within runs f with the directory open. A name of an unfinished upload does not exist.
func (d dirFS) within(f func(*os.Root) error, names ...string) error {
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), uploadPrefix) {
			return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
	}
	root, err := os.OpenRoot(d.root)
	if err != nil {
		return err
	}
	defer root.Close()
	return escaped(f(root))
}

// escaped reports a link that leads outside. That is the only error of os.Root that does not come
// from the system.
func escaped(err error) error {
	var errno syscall.Errno
	var at *fs.PathError
	if !errors.As(err, &at) || errors.As(err, &errno) || at.Err.Error() != "path escapes from parent" {
		return err
	}
	return &outsideError{at.Path}
}

// outsideError is a link that leads out of the directory.
type outsideError struct{ name string }

func (e *outsideError) Error() string { return e.name + ": the link leads outside" }
func (e *outsideError) Unwrap() error { return fs.ErrPermission }
func (e *outsideError) Hint() string  { return "The link leads out of the served directory." }

// Stat implements FS.
func (d dirFS) Stat(_ context.Context, name string) (info fs.FileInfo, err error) {
	err = d.within(func(root *os.Root) error {
		info, err = root.Stat(name)
		return err
	}, name)
	return info, err
}

// List implements FS. A link is shown as its target, and left out if that does not exist.
func (d dirFS) List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		err := d.within(func(root *os.Root) error {
			f, err := root.Open(dir)
			if err != nil {
				return err
			}
			defer f.Close()
			for {
				const some = 256
				entries, err := f.ReadDir(some)
				for _, e := range entries {
					info, err := root.Stat(path.Join(dir, e.Name()))
					if err != nil || strings.HasPrefix(e.Name(), uploadPrefix) {
						continue
					}
					if !yield(named{info, e.Name()}, nil) {
						return nil
					}
				}
				if err == io.EOF {
					return nil
				}
				if err == nil {
					err = context.Cause(ctx)
				}
				if err != nil {
					return err
				}
			}
		}, dir)
		if err != nil {
			yield(nil, err)
		}
	}
}

// named describes the target of a link under the name of the link.
type named struct {
	fs.FileInfo
	name string
}

// Name implements fs.FileInfo.
func (n named) Name() string { return n.name }

// Open implements FS.
func (d dirFS) Open(_ context.Context, name string, off int64) (io.ReadCloser, error) {
	var f *os.File
	err := d.within(func(root *os.Root) (err error) {
		if _, err := regular(root, name); err != nil {
			return err
		}
		f, err = root.Open(name)
		return err
	}, name)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// regular refuses what is not a regular file.
func regular(root *os.Root, name string) (fs.FileInfo, error) {
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrIsDir}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return info, nil
}

// Create implements FS.
func (d dirFS) Create(_ context.Context, name string, off int64) (Upload, error) {
	root, err := os.OpenRoot(d.root)
	if err != nil {
		return nil, err
	}
	up := &dirUpload{root: root, name: name, temp: path.Join(path.Dir(name), uploadPrefix+rand.Text())}
	if err := up.begin(off); err != nil {
		up.Abort()
		return nil, escaped(err)
	}
	return up, nil
}

// dirUpload is an upload into a directory.
type dirUpload struct {
	root       *os.Root // nil after it has ended
	name, temp string
	file       *os.File
}

// begin opens the file, with the kept bytes of the old one.
func (u *dirUpload) begin(off int64) error {
	if strings.HasPrefix(path.Base(u.name), uploadPrefix) {
		return &fs.PathError{Op: "create", Path: u.name, Err: fs.ErrPermission}
	}
	old, err := regular(u.root, u.name)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || off > 0) {
		return err
	}
	if u.file, err = u.root.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
		return err
	}
	if old == nil {
		return nil
	}
	if err := u.file.Chmod(old.Mode().Perm()); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if off == 0 {
		return nil
	}
	if off == AtEnd {
		off = old.Size()
	}
	from, err := u.root.Open(u.name)
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err = io.CopyN(u.file, from, off); err == io.EOF {
		return &fs.PathError{Op: "create", Path: u.name, Err: fs.ErrInvalid} // after the end
	}
	return err
}

// Write implements Upload.
func (u *dirUpload) Write(p []byte) (int, error) { return u.file.Write(p) }

// ReadFrom implements io.ReaderFrom: the bytes need not pass through this process.
func (u *dirUpload) ReadFrom(r io.Reader) (int64, error) { return u.file.ReadFrom(r) }

// Commit implements Upload.
func (u *dirUpload) Commit(context.Context) error {
	if err := u.file.Sync(); err != nil {
		return err
	}
	if err := u.file.Close(); err != nil {
		return err
	}
	if err := u.root.Rename(u.temp, u.name); err != nil {
		return err
	}
	if dir, err := u.root.Open(path.Dir(u.name)); err == nil {
		_ = dir.Sync() // systems without it need none
		dir.Close()
	}
	u.root.Close()
	u.root = nil
	return nil
}

// Abort implements Upload.
func (u *dirUpload) Abort() {
	if u.root == nil {
		return
	}
	if u.file != nil {
		u.file.Close()
		_ = u.root.Remove(u.temp) // if it cannot be removed, it stays hidden
	}
	u.root.Close()
	u.root = nil
}

// Remove implements FS.
func (d dirFS) Remove(_ context.Context, name string) error {
	return d.remove(name, false, ErrIsDir)
}

// Rmdir implements FS.
func (d dirFS) Rmdir(_ context.Context, dir string) error {
	if dir == "." {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: fs.ErrPermission}
	}
	return d.remove(dir, true, ErrNotDir)
}

func (d dirFS) remove(name string, dir bool, otherwise error) error {
	return d.within(func(root *os.Root) error {
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if info.IsDir() != dir {
			return &fs.PathError{Op: "remove", Path: name, Err: otherwise}
		}
		return root.Remove(name)
	}, name)
}

// Rename implements FS.
func (d dirFS) Rename(_ context.Context, from, to string) error {
	return d.within(func(root *os.Root) error { return root.Rename(from, to) }, from, to)
}

// Mkdir implements FS.
func (d dirFS) Mkdir(_ context.Context, dir string) error {
	return d.within(func(root *os.Root) error { return root.Mkdir(dir, 0o777) }, dir)
}

// SetModTime implements ModTimer.
func (d dirFS) SetModTime(_ context.Context, name string, t time.Time) error {
	return d.within(func(root *os.Root) error { return root.Chtimes(name, time.Time{}, t) }, name)
}

// SetMode implements Moder.
func (d dirFS) SetMode(_ context.Context, name string, perm fs.FileMode) error {
	return d.within(func(root *os.Root) error { return root.Chmod(name, perm) }, name)
}

// Close implements FS.
func (dirFS) Close() error { return nil }
