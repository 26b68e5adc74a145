package ftp

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Forward is an FS with every ability, for decorators to embed: what a decorator does not define
// itself goes to the FS below. Where that lacks an ability, the engine does what it does without.
type Forward struct{ FS }

var (
	_ ModTimer   = Forward{}
	_ TimeTeller = Forward{}
	_ Moder      = Forward{}
	_ Hasher     = Forward{}
	_ Sizer      = Forward{}
	_ Spacer     = Forward{}
	_ Permitter  = Forward{}
	_ Limited    = Forward{}
	_ Keeper     = Forward{}
	_ Placer     = Forward{}

	_ CaseFolder = Forward{}
)

// Became returns what up has become, as Known does; -1 and "" if nothing is known.
func Became(up Upload) (size int64, digest string) {
	for {
		if k, knows := up.(Known); knows {
			return k.Became()
		}
		w, wraps := up.(Wrapping)
		if !wraps {
			return -1, ""
		}
		up = w.Unwrap()
	}
}

// SetModTime implements ModTimer.
func (f Forward) SetModTime(ctx context.Context, name string, t time.Time) error {
	if m, able := f.FS.(ModTimer); able {
		return m.SetModTime(ctx, name, t)
	}
	return &fs.PathError{Op: "chtimes", Path: name, Err: errors.ErrUnsupported}
}

// SetsTimes implements TimeTeller. A ModTimer that does not tell can.
func (f Forward) SetsTimes() bool {
	if t, tells := f.FS.(TimeTeller); tells {
		return t.SetsTimes()
	}
	_, able := f.FS.(ModTimer)
	return able
}

// SetMode implements Moder.
func (f Forward) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	if m, able := f.FS.(Moder); able {
		return m.SetMode(ctx, name, perm)
	}
	return &fs.PathError{Op: "chmod", Path: name, Err: errors.ErrUnsupported}
}

// Hash implements Hasher.
func (f Forward) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if h, able := f.FS.(Hasher); able {
		return h.Hash(ctx, name, algorithm)
	}
	return nil, errors.ErrUnsupported
}

// StatSize implements Sizer.
func (f Forward) StatSize(ctx context.Context, name string) (fs.FileInfo, error) {
	if s, able := f.FS.(Sizer); able {
		return s.StatSize(ctx, name)
	}
	return f.FS.Stat(ctx, name)
}

// Free implements Spacer.
func (f Forward) Free(ctx context.Context, dir string) (int64, error) {
	if s, able := f.FS.(Spacer); able {
		return s.Free(ctx, dir)
	}
	return -1, nil
}

// Permitted implements Permitter.
func (f Forward) Permitted(name string, info fs.FileInfo) Perm {
	if p, knows := f.FS.(Permitter); knows {
		return p.Permitted(name, info)
	}
	return PermAll
}

// CreateNew implements Keeper. Without that ability the FS below is asked, and may change between
// the answer and the end of the upload.
func (f Forward) CreateNew(ctx context.Context, name string, off int64, alone bool) (Upload, error) {
	if k, able := f.FS.(Keeper); able {
		return k.CreateNew(ctx, name, off, alone)
	}
	if err := f.absent(ctx, "create", name); err != nil {
		return nil, err
	}
	return f.FS.Create(ctx, name, off)
}

// RenameNew implements Keeper, as CreateNew does.
func (f Forward) RenameNew(ctx context.Context, from, to string, alone bool) error {
	if k, able := f.FS.(Keeper); able {
		return k.RenameNew(ctx, from, to, alone)
	}
	if err := f.absent(ctx, "rename", to); err != nil {
		return err
	}
	return f.FS.Rename(ctx, from, to)
}

// absent returns fs.ErrExist if there is a name, finished.
func (f Forward) absent(ctx context.Context, op, name string) error {
	info, err := f.FS.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	if p, may := info.(Partial); may && p.Unfinished() {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrExist}
}

// RenameBeside implements Placer.
func (f Forward) RenameBeside(ctx context.Context, from, to string) (name string, err error) {
	if p, may := f.FS.(Placer); may {
		return p.RenameBeside(ctx, from, to)
	}
	return to, f.FS.Rename(ctx, from, to)
}

// Limits implements Limited.
func (f Forward) Limits() Limits {
	if l, limited := f.FS.(Limited); limited {
		return l.Limits()
	}
	return Limits{}
}

// FoldsCase implements CaseFolder.
func (f Forward) FoldsCase() bool {
	c, may := f.FS.(CaseFolder)
	return may && c.FoldsCase()
}
