package webdav

import "io/fs"

// fail wraps err, unless it is nil.
func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
