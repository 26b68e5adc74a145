package cache

import (
	"os"
	"path"
	"slices"
	"time"
)

// An upload in parts that was begun and not ended stays on the remote, which keeps its parts for
// ever. So each is noted in uploads/ before its first part is sent, and the note goes with its end.
// What a killed process leaves there is to be aborted.

// An UploadNote is the note of an upload in parts.
type UploadNote struct {
	ID    string
	Token string // that the remote gave for it
	Begun time.Time
}

// NoteUpload notes an upload in parts. The note survives the death of the process; it is not
// synced, as nothing is lost with it but room on the remote.
func (s *Store) NoteUpload(token string) (UploadNote, error) {
	n := UploadNote{ID: newID(), Token: token, Begun: time.Now()}
	h := header{State: stateUpload, Version: token, Committed: n.Begun, Boot: s.disk.Boot(), Spooled: true}
	return n, s.writeNote(path.Join(uploadsDir, n.ID), &h, os.O_CREATE|os.O_EXCL, 1, false)
}

// ForgetUpload removes a note. One that is not there is no error.
func (s *Store) ForgetUpload(id string) error { return s.removeNote(uploadsDir, id) }

// Uploads returns the notes that Open found, the oldest first.
func (s *Store) Uploads() []UploadNote { return s.uploads }

// recoverUploads reads the notes. Of one that is not whole nothing can be done.
func (s *Store) recoverUploads() error {
	err := s.recoverNotes(uploadsDir, stateUpload, func(id string, h *header) {
		s.uploads = append(s.uploads, UploadNote{id, h.Version, h.Committed})
	})
	slices.SortStableFunc(s.uploads, func(a, b UploadNote) int { return a.Begun.Compare(b.Begun) })
	return err
}
