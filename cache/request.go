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

// A change that is asked of the remote may be made later than the change that follows it, when its
// answer is lost. So each is noted in doubt/ before it is sent, and the note goes when the answer
// has come. What a killed process leaves there is in doubt, as is what was not answered.

// A Request is the note of a change that is asked of the remote. Its methods may be called by one
// goroutine at a time.
type Request struct {
	s  *Store
	id string

	mu    sync.Mutex
	h     header // guarded by mu
	ended bool   // guarded by mu
}

// A Doubt is a change that was asked of the remote and not answered: it may have been made, or not,
// or be made later.
type Doubt struct {
	ID    string   // "" when no note of it is on the disk
	Names []string // that the change concerns
	Seq   uint64   // of the record that wanted it; 0 = of none, or nobody knows
	Token string   // that the remote gave for it, see Request.Note
}

// NoteRequest notes that a change of names is about to be asked of the remote, for the record of
// that Seq, or 0. The note survives the death of the process. It takes no room. Names that do not
// fit it are ErrNameTooLong.
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

// Unanswered leaves the note where it is. When it returns nil, it survives the loss of power too.
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

// ForgetDoubt removes a note that Doubts returned. One that is not there is no error.
func (s *Store) ForgetDoubt(id string) error { return s.removeNote(doubtDir, id) }

// Doubts returns what Open found in doubt. After a loss of power, notes may be missing that were
// not synced: then all that waits is in doubt.
func (s *Store) Doubts() []Doubt { return s.doubts }

// recoverDoubts reads the notes. One that is not whole was never acted upon.
func (s *Store) recoverDoubts() error {
	return s.recoverNotes(doubtDir, stateAsked, func(id string, h *header) {
		s.doubts = append(s.doubts, h.doubt(id))
		s.seq = max(s.seq, h.Seq) // what comes must not be taken for the record that it is about
	})
}

// doubtRecord notes that what a record of an earlier run of the machine wants may have been asked
// already.
func (s *Store) doubtRecord(f *found) {
	if !s.sameBoot(f) {
		doubt := f.h.doubt("")
		doubt.Seq = 0
		s.doubts = append(s.doubts, doubt)
	}
}
