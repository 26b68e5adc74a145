package disktest

import (
	"io/fs"

	"ferry/disk"
)

// CreateUnnamed implements disk.Namer.
func (d *Disk) CreateUnnamed(dir string) (disk.File, error) {
	if err := d.change("create", dir+"/?", ""); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	if _, err := d.names.existing("create", dir); err != nil {
		return nil, err
	}
	n := newNode(dir+"/?", false)
	n.uses++
	return &file{d: d, n: n, writable: true}, nil
}

// Name implements disk.Namer.
func (d *Disk) Name(f disk.File, name string) error {
	if err := d.change("name", f.(*file).name(), name); err != nil {
		return err
	}
	defer d.mu.Unlock()
	old, err := d.names.find("name", name)
	if err == nil && old != nil {
		err = &fs.PathError{Op: "name", Path: name, Err: fs.ErrExist}
	}
	if err != nil {
		return err
	}
	n := f.(*file).n
	n.uses++
	n.name = name
	d.names.apply(change{name: n})
	return nil
}
