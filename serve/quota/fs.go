package quota

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"

	"ferry/ftp"
)

// FS is a tree whose changes are counted.
type FS struct {
	ftp.Forward
	account *Account
	log     *slog.Logger
}

// New returns under, whose changes are counted to the account. What cannot be counted is logged and
// does not fail: the user has it. Closing it closes under, and the account.
func New(under ftp.FS, a *Account, log *slog.Logger) *FS {
	return &FS{ftp.Forward{FS: under}, a, log}
}

// Close implements ftp.FS.
func (f *FS) Close() error { return errors.Join(f.Forward.Close(), f.account.Close()) }

// size returns the size of the file called name, and whether it counts: an unfinished upload does
// not, nor does what waits at another node and is counted there until it is settled which file has
// the name.
func (f *FS) size(ctx context.Context, name string) (bytes int64, counts bool, err error) {
	info, err := f.FS.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case info.IsDir():
		return 0, false, nil
	}
	if w, may := info.(ftp.Waiting); may && w.WaitsAt() != "" {
		return 0, false, nil
	}
	p, may := info.(ftp.Partial)
	return max(info.Size(), 0), !may || !p.Unfinished(), nil
}

// Create implements ftp.FS. Bytes are reserved while they arrive. A file that is replaced counts
// until then, and the new one may use its bytes up.
func (f *FS) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	return f.create(ctx, name, off, f.FS.Create)
}

// CreateNew implements ftp.Keeper.
func (f *FS) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return f.create(ctx, name, off, func(ctx context.Context, name string, off int64) (ftp.Upload, error) {
		return f.Forward.CreateNew(ctx, name, off, alone)
	})
}

func (f *FS) create(
	ctx context.Context, name string, off int64, create func(ctx context.Context, name string, off int64) (ftp.Upload, error),
) (ftp.Upload, error) {
	size, exists, err := f.size(ctx, name)
	if err != nil && !errors.Is(err, ftp.ErrNotDir) {
		return nil, err
	}
	u := &upload{account: f.account, log: f.log, key: f.key(name), exists: exists, begin: off}
	if off == ftp.AtEnd {
		u.begin = size
	}
	if exists {
		u.old, u.credit = size, size
	}
	if !f.account.begin(u) {
		return nil, f.account.tooManyFiles()
	}
	if u.reserve(u.begin, u.begin) < u.begin {
		u.giveBack()
		return nil, f.account.tooManyBytes()
	}
	if u.Upload, err = create(ctx, name, off); err != nil {
		u.giveBack()
		return nil, err
	}
	return u.asReaderFrom(), nil
}

// Remove implements ftp.FS.
func (f *FS) Remove(ctx context.Context, name string) error {
	size, counts, err := f.size(ctx, name)
	if err != nil {
		return err
	}
	if err := f.FS.Remove(ctx, name); err != nil {
		return err
	}
	if counts {
		f.account.count(ctx, f.log, func() Usage {
			f.account.changed(f.key(name), false, 0)
			return Usage{-size, -1}
		})
	}
	return nil
}

// key is what two names have in common that are of one file.
func (f *FS) key(name string) string {
	if f.FoldsCase() {
		return strings.ToLower(name)
	}
	return name
}

// Rename implements ftp.FS. A file that is replaced is no longer there.
func (f *FS) Rename(ctx context.Context, from, to string) error {
	size, counts, err := f.size(ctx, to)
	if err != nil {
		return err
	}
	if err := f.FS.Rename(ctx, from, to); err != nil {
		return err
	}
	if f.key(from) == f.key(to) {
		return nil
	}
	var moved int64
	var isFile bool
	if f.account.awaits(f.key(from)) || f.account.awaits(f.key(to)) {
		if moved, isFile, err = f.size(ctx, to); err != nil {
			isFile = false // what is under way counts as it began
		}
	}
	f.account.count(ctx, f.log, func() Usage {
		if isFile {
			f.account.changed(f.key(from), false, 0)
			f.account.changed(f.key(to), true, moved)
		}
		if counts {
			return Usage{-size, -1}
		}
		return Usage{}
	})
	return nil
}

// Free implements ftp.Spacer.
func (f *FS) Free(ctx context.Context, dir string) (int64, error) {
	free, err := f.Forward.Free(ctx, dir)
	if err != nil {
		return free, err
	}
	if left := f.account.room(); f.account.bounded() && (free < 0 || free > left) {
		free = left
	}
	return free, nil
}
