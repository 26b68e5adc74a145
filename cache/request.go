package cache

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"time"
)

// When the response to a change is lost, the remote may apply the change late, even after a
// following one. So each change is noted in doubt/ before it is sent, and the note is removed when
// the response has arrived. Changes without a response, and those that a killed process left in
// doubt/, are in doubt.

// A Request is the note of a change that is sent to the remote. Its methods may be called by one
// goroutine at a time.
type Request struct {
	s  *Store
	id string

	mu    sync.Mutex
	h     header // guarded by mu
	ended bool   // guarded by mu
}

// A Doubt is a change that was sent to the remote without a response: it may have been applied, or
// not, or may be applied later.
type Doubt struct {
	ID    string   // "" if there is no note on the disk
	Names []string // affected by the change
	Seq   uint64   // of its record; 0 = none, or unknown
	Token string   // given by the remote, see Request.Note
}

// NoteRequest notes that a change of names is about to be sent to the remote, for the record with
// that Seq, or 0. The note survives the death of the process. It does not count in the quota. Names
// that do not fit are ErrNameTooLong.
func (s *Store) NoteRequest(seq uint64, names ...string) (*Request, error) {
	if len(names) == 0 {
		return nil, fs.ErrInvalid
	}
	r := &Request{s: s, id: newID()}
	r.h = header{
		State: stateAsked, Name: names[0], Removes: slices.Clone(names[1:]), Seq: seq, Committed: time.Now(),
		Boot: s.disk.Boot(), Spooled: true,
	}
	return r, r.write(os.O_CREATE|os.O_EXCL, 1, false)
}

func (r *Request) path() string { return path.Join(doubtDir, r.id) }

// write writes the note.
//
// LOCKS_REQUIRED(r.mu), once others know r
func (r *Request) write(flag int, generation uint64, sync bool) error {
	return r.s.writeNote(r.path(), &r.h, flag, generation, sync)
}

// Answered removes the note.
func (r *Request) Answered() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil
	}
	r.ended = true
	return r.s.ForgetDoubt(r.id)
}

// Unanswered leaves the note in place. When it returns nil, the note survives a power loss too.
func (r *Request) Unanswered() (Doubt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.h.Spooled = false
	err := r.write(os.O_CREATE, 2, true)
	return r.h.doubt(r.id), errors.Join(err, r.s.disk.SyncDir(doubtDir))
}

func (h *header) doubt(id string) Doubt {
	return Doubt{ID: id, Names: append([]string{h.Name}, h.Removes...), Seq: h.Seq}
}

// ForgetDoubt removes a note that Doubts returned. It is no error if there is none.
func (s *Store) ForgetDoubt(id string) error { return s.removeNote(doubtDir, id) }

// Doubts returns the changes that Open found in doubt. After a power loss, notes that were not
// synced may be missing: then all pending changes are in doubt.
func (s *Store) Doubts() []Doubt { return s.doubts }

// recoverDoubts reads the notes. For a note that is not intact no request was sent.
func (s *Store) recoverDoubts() error {
	return s.recoverNotes(doubtDir, stateAsked, func(id string, h *header) {
		s.doubts = append(s.doubts, h.doubt(id))
		s.seq = max(s.seq, h.Seq) // a new record must not get the Seq of the one in doubt
	})
}

// doubtRecord adds a doubt for a record of an earlier boot: its change may have been sent already.
func (s *Store) doubtRecord(f *found) {
	if !s.sameBoot(f) {
		doubt := f.h.doubt("")
		doubt.Seq = 0
		s.doubts = append(s.doubts, doubt)
	}
}
