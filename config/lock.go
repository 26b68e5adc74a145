package config

import "context"

// A Lock keeps away other processes that write a file at path, until release is called. Where there
// are no locks it does nothing.
type Lock func(ctx context.Context, path string) (release func(), err error)

// LockWith has every later write of the file hold a lock. It is called before the file is used by
// several goroutines.
func (f *File) LockWith(lock Lock) { f.locking = lock }

// lock holds the lock of the file, if it has one.
func (f *File) lock(ctx context.Context) (release func(), err error) {
	if f.locking == nil || f.path == "" {
		return func() {}, nil
	}
	path, err := followLinks(f.path)
	if err != nil {
		return nil, err
	}
	return f.locking(ctx, path)
}
