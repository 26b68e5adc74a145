package cache

import (
	"os"
	"path"
	"slices"
	"time"
)

// A multipart upload that is neither completed nor aborted stays on the remote forever, with its
// parts. So each is noted in uploads/ before its first part is sent, and the note is removed when
// it ends. Uploads that a killed process left there are to be aborted.

// An UploadNote is the note of a multipart upload.
type UploadNote struct {
	ID    string
	Token string // given by the remote
	Begun time.Time
}

// NoteUpload notes a multipart upload. The note survives the death of the process; it is not
// synced, as its loss costs only space on the remote.
func (s *Store) NoteUpload(token string) (UploadNote, error) {
	n := UploadNote{ID: newID(), Token: token, Begun: time.Now()}
	h := header{State: stateUpload, Version: token, Committed: n.Begun, Boot: s.disk.Boot(), Spooled: true}
	return n, s.writeNote(path.Join(uploadsDir, n.ID), &h, os.O_CREATE|os.O_EXCL, 1, false)
}

// ForgetUpload removes a note. It is no error if there is none.
func (s *Store) ForgetUpload(id string) error { return s.removeNote(uploadsDir, id) }

// Uploads returns the notes that Open found, oldest first.
func (s *Store) Uploads() []UploadNote { return s.uploads }

// recoverUploads reads the notes. It ignores damaged ones.
func (s *Store) recoverUploads() error {
	err := s.recoverNotes(uploadsDir, stateUpload, func(id string, h *header) {
		s.uploads = append(s.uploads, UploadNote{id, h.Version, h.Committed})
	})
	slices.SortStableFunc(s.uploads, func(a, b UploadNote) int { return a.Begun.Compare(b.Begun) })
	return err
}
