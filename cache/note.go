package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// A note is a file with a header and no data: of a request in flight, or of a multipart upload.
// Each kind of note has its own directory.

// removeNote removes a note. It is no error if there is none.
func (s *Store) removeNote(dir, id string) error {
	err := s.disk.Remove(path.Join(dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// recoverNotes calls keep for each intact note of state st in dir, by ID. It removes the others: no
// request was sent for them.
func (s *Store) recoverNotes(dir string, st state, keep func(id string, h *header)) error {
	files, err := s.inspect(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.err == nil && f.h.State == st && validID(f.id) {
			keep(f.id, &f.h)
			continue
		}
		if f.err != nil && !errors.Is(f.err, errDamaged) {
			return fmt.Errorf("%s: %w", f.id, f.err)
		}
		if err := s.disk.Remove(path.Join(dir, f.id)); err != nil {
			return err
		}
	}
	return nil
}

// writeNote writes a header that has no data.
func (s *Store) writeNote(name string, h *header, flag int, generation uint64, sync bool) error {
	b, err := h.encode(generation)
	if err != nil {
		return &fs.PathError{Op: "note", Path: h.Name, Err: err}
	}
	f, err := s.disk.OpenFile(name, os.O_RDWR|flag)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, int64(1-generation%2)*slotSize)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
