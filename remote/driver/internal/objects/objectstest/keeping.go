package objectstest

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// A Keeping store is a Flat one that takes pieces of a few bytes, and keeps them by the id of their
// upload: an objects.Keeper.
type Keeping struct {
	*Flat
	// constant
	Refuses error // how PutPlain fails; nil = it does not
	Piece   int64 // how long a piece is

	uploads map[string]string // guarded by Flat.mu
	lists   int               // guarded by Flat.mu; of what is kept
	next    int               // guarded by Flat.mu
}

// NewKeeping returns a store of an empty bucket, whose pieces are of 4 bytes.
func NewKeeping(bucket string) *Keeping {
	return &Keeping{Flat: NewFlat(bucket), uploads: map[string]string{}, Piece: 4}
}

// Lists returns how often what is kept was listed.
func (s *Keeping) Lists() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// Uploads returns how many unfinished uploads there are.
func (s *Keeping) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

type keptState struct{ ID string }

// Create implements objects.Store.
func (s *Keeping) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d, err := s.Flat.Create(ctx, k, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return &keptDraft{flatDraft: d.(*flatDraft), s: s, id: strings.Repeat("i", s.next)}, nil
}

// Continue implements objects.Keeper.
func (s *Keeping) Continue(_ context.Context, k objects.Key, sent objects.Sent, _ objects.CreateOptions) (objects.Draft, error) {
	id := s.id(sent)
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.uploads[id]
	if !ok {
		return nil, remote.ErrNotExist
	}
	return &keptDraft{flatDraft: &flatDraft{store: s.Flat, key: k, content: []byte(content[:sent.Size])}, s: s, id: id}, nil
}

func (s *Keeping) id(sent objects.Sent) string {
	var state keptState
	_ = json.Unmarshal(sent.State, &state)
	return state.ID
}

// PutPlain implements objects.Keeper.
func (s *Keeping) PutPlain(ctx context.Context, k objects.Key, content []byte, version string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.buckets[k.Bucket][k.Name]; s.Refuses != nil || ok != (version != "") || ok && old.Version != version {
		if s.Refuses != nil {
			return "", s.Refuses
		}
		return "", remote.ErrChanged
	}
	return s.put(k.Bucket, k.Name, string(content), time.Now()), ctx.Err()
}

// Holds implements objects.Keeper.
func (s *Keeping) Holds(_ context.Context, _ objects.Key, sent objects.Sent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.uploads[s.id(sent)]; !ok {
		return remote.ErrNotExist
	}
	return nil
}

// Forget implements objects.Keeper.
func (s *Keeping) Forget(_ context.Context, _ objects.Key, sent objects.Sent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, s.id(sent))
	return nil
}

// Cut implements objects.Keeper.
func (s *Keeping) Cut(sent objects.Sent, off int64) (objects.Sent, bool) {
	sent.Size = off
	return sent, off%s.Piece == 0
}

// All implements objects.Store.
func (s *Keeping) All(ctx context.Context, k objects.Key) iter.Seq2[objects.Object, error] {
	s.mu.Lock()
	s.lists++
	s.mu.Unlock()
	return s.Flat.All(ctx, k)
}

// A keptDraft has each whole piece in the store as soon as it is written.
type keptDraft struct {
	*flatDraft
	s    *Keeping
	id   string
	sent int64 // guarded by s.mu
	halt error // guarded by s.mu
}

// Write implements io.Writer.
func (d *keptDraft) Write(p []byte) (int, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.halt != nil {
		return 0, d.halt
	}
	n, err := d.flatDraft.Write(p)
	d.send()
	return n, err
}

// LOCKS_REQUIRED(d.s.mu)
func (d *keptDraft) send() {
	if d.sent = int64(len(d.content)) / d.s.Piece * d.s.Piece; d.sent > 0 {
		d.s.uploads[d.id] = string(d.content[:d.sent])
	}
}

// Commit implements objects.Draft.
func (d *keptDraft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	d.s.mu.Lock()
	_, there := d.s.uploads[d.id]
	lost := d.sent > 0 && !there
	delete(d.s.uploads, d.id)
	d.s.mu.Unlock()
	if lost {
		return objects.Object{}, errors.New("no such upload")
	}
	return d.flatDraft.Commit(ctx, modTime)
}

// Halt implements objects.KeptDraft.
func (d *keptDraft) Halt(cause error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.halt = cause
}

// Sent implements objects.KeptDraft.
func (d *keptDraft) Sent() objects.Sent {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.sent == 0 {
		return objects.Sent{}
	}
	state, _ := json.Marshal(keptState{d.id})
	return objects.Sent{Size: d.sent, State: state}
}

// Noted implements objects.KeptDraft.
func (d *keptDraft) Noted() {}

// Keep implements objects.KeptDraft.
func (d *keptDraft) Keep(context.Context) (objects.Sent, []byte) {
	sent := d.Sent()
	return sent, d.content[sent.Size:]
}

// Release implements objects.KeptDraft.
func (d *keptDraft) Release() {}

// Abort implements objects.Draft.
func (d *keptDraft) Abort() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	delete(d.s.uploads, d.id)
}
