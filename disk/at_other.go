//go:build !linux

package disk

import "os"

// subs are not kept open.
type subs struct{}

func (*subs) close() error { return nil }

func (d *dir) openFile(name string, flag int) (*os.File, error) {
	return d.root.OpenFile(name, flag, 0o600)
}

func (d *dir) rename(from, to string) error { return d.root.Rename(from, to) }

func (d *dir) remove(name string) error { return d.root.Remove(name) }

// unnamed is nothing: files have a name from the beginning.
type unnamed struct{}

// openDir returns the open directory name and a function that releases it.
func (d *dir) openDir(name string) (f *os.File, release func(), err error) {
	if f, err = d.root.Open(name); err != nil {
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil
}
