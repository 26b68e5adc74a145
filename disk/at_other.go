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

func (d *dir) syncDir(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncDir(f)
}
