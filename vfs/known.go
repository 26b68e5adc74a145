package vfs

import "context"

// KnownSize returns the size of the file called name, as far as it is known without asking a remote
// that is far; below 0 it is not.
func (f *FS) KnownSize(ctx context.Context, name string) int64 {
	e, known := f.names.Known(name)
	if f.caps.Live {
		asked, err := f.top.Stat(ctx, name)
		e, known = asked, err == nil
	}
	if !known || e.Dir {
		return -1
	}
	return e.Size
}
