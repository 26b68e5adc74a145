package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLinks is how many symbolic links are followed in a chain.
const maxLinks = 40

// Loose are the permissions that a file with secrets should not have: any for others, and write for
// the group.
const Loose fs.FileMode = 0o027

// WriteFile replaces the file at path by text, atomically and durably. The file keeps its owner,
// where that is permitted, and its permissions except those in drop; a new one is accessible to its
// owner only. A symbolic link is kept, and its target replaced.
func WriteFile(path string, text []byte, drop fs.FileMode) error {
	path, err := followLinks(path)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	old, err := os.Stat(path)
	switch {
	case err == nil && !old.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case err == nil:
		mode = old.Mode().Perm() &^ drop
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := fill(temp, text, mode, old); err != nil {
		os.Remove(temp.Name())
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		os.Remove(temp.Name())
		return err
	}
	return syncDir(dir)
}

// fill writes text to a temporary file, sets the mode and the owner of the old file, and closes it.
// When it returns nil the text is on disk.
func fill(temp *os.File, text []byte, mode fs.FileMode, old fs.FileInfo) error {
	_, err := temp.Write(text)
	if err == nil && old != nil && !keepOwner(temp, old) {
		mode &^= 0o070 // the group is not the intended one
	}
	if err == nil {
		err = temp.Chmod(mode)
	}
	if err == nil {
		err = temp.Sync()
	}
	return errors.Join(err, temp.Close())
}

// followLinks returns the target of the symbolic links at path, which may not exist.
func followLinks(path string) (string, error) {
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // not a link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", fmt.Errorf("more than %d symbolic links in a row", maxLinks)
}
