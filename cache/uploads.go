package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// An upload in parts that was begun and not ended stays on the remote, which keeps its parts for ever. So each is noted in
// uploads/ before its first part is sent, and the note goes with its end. What a killed process leaves there is to be aborted.

// An UploadNote is the note of an upload in parts.
type UploadNote struct {
	ID    string
	Token string // that the remote gave for it
	Begun time.Time
}

// NoteUpload notes an upload in parts. The note survives the death of the process; it is not synced, as nothing is lost
// with it but room on the remote.
func (s *Store) NoteUpload(token string) (UploadNote, error) {
	n := UploadNote{ID: newID(), Token: token, Begun: time.Now()}
	h := header{State: stateUpload, Version: token, Committed: n.Begun, Boot: s.disk.Boot(), Spooled: true}
	return n, s.writeNote(path.Join(uploadsDir, n.ID), &h, os.O_CREATE|os.O_EXCL, 1, false)
}

// ForgetUpload removes a note. One that is not there is no error.
func (s *Store) ForgetUpload(id string) error {
	err := s.disk.Remove(path.Join(uploadsDir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Uploads returns the notes that Open found, the oldest first.
func (s *Store) Uploads() []UploadNote { return s.uploads }

// recoverUploads reads the notes. Of one that is not whole nothing can be done.
func (s *Store) recoverUploads() error {
	files, err := s.inspect(uploadsDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.err == nil && f.h.State == stateUpload && validID(f.id) {
			s.uploads = append(s.uploads, UploadNote{f.id, f.h.Version, f.h.Committed})
			continue
		}
		if f.err != nil && !errors.Is(f.err, errDamaged) {
			return fmt.Errorf("%s: %w", f.id, f.err)
		}
		if err := s.disk.Remove(path.Join(uploadsDir, f.id)); err != nil {
			return err
		}
	}
	slices.SortFunc(s.uploads, func(a, b UploadNote) int {
		if c := a.Begun.Compare(b.Begun); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
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
