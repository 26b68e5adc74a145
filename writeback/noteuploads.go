package writeback

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// A noted is a remote whose multipart uploads are noted on the local disk until they end: those
// that a killed process leaves are aborted by the next process.
type noted struct {
	remote.Forward
	uploads *uploadNotes
}

// Put implements remote.Remote.
func (n noted) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return n.Forward.Put(n.noting(ctx), name, body, o)
}

// PutIf implements remote.ConditionalPutter.
func (n noted) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	return n.Forward.PutIf(n.noting(ctx), name, body, version, o)
}

// Stage implements remote.Stager.
func (n noted) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	return n.Forward.Stage(n.noting(ctx), name, o)
}

// Move implements remote.Mover: some copy large files in parts.
func (n noted) Move(ctx context.Context, from, to string) error {
	return n.Forward.Move(n.noting(ctx), from, to)
}

// Copy implements remote.Copier.
func (n noted) Copy(ctx context.Context, from, to string) error {
	return n.Forward.Copy(n.noting(ctx), from, to)
}

// SetModTime implements remote.ModTimer: some copy the file onto itself.
func (n noted) SetModTime(ctx context.Context, name string, t time.Time) error {
	return n.Forward.SetModTime(n.noting(ctx), name, t)
}

func (n noted) noting(ctx context.Context) context.Context { return remote.WithUploads(ctx, n.uploads) }

// uploadNotes are the multipart uploads in progress.
type uploadNotes struct {
	store *cache.Store
	log   *slog.Logger

	mu   sync.Mutex
	open map[string]cache.UploadNote // by token; guarded by mu
	left []cache.UploadNote          // guarded by mu; uploads to abort
	wake chan struct{}               // holds a token when left has grown
}

func newUploadNotes(store *cache.Store, log *slog.Logger) *uploadNotes {
	return &uploadNotes{
		store: store, log: log, open: map[string]cache.UploadNote{}, left: store.Uploads(), wake: make(chan struct{}, 1),
	}
}

// UploadBegun implements remote.Uploads. If the note cannot be written, the file is sent
// nevertheless.
func (u *uploadNotes) UploadBegun(token string) {
	note, err := u.store.NoteUpload(token)
	if err != nil {
		u.log.Warn("an upload in parts cannot be noted in the cache", "error", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open[token] = note
}

// UploadEnded implements remote.Uploads.
func (u *uploadNotes) UploadEnded(token string, left bool) {
	u.mu.Lock()
	note := u.open[token]
	delete(u.open, token)
	if left {
		u.left = append(u.left, note)
	}
	u.mu.Unlock()
	if !left {
		u.forget(note)
		return
	}
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

func (u *uploadNotes) forget(note cache.UploadNote) {
	if err := u.store.ForgetUpload(note.ID); err != nil {
		u.log.Warn("the note of an upload in parts cannot be removed", "error", err)
	}
}

const (
	// abortAgain is the first delay before a failed abort is retried; it doubles each time.
	abortAgain = time.Minute
	// maxAbortAgain is the longest such delay.
	maxAbortAgain = time.Hour
	// abortLimit is how long the remote may take for one abort.
	abortLimit = time.Minute
)

// abortLeft aborts the uploads that are left, now and whenever there are new ones, until ctx ends.
// r is the remote below the cache.
func (u *uploadNotes) abortLeft(ctx context.Context, r remote.Remote) {
	pause := abortAgain
	for ctx.Err() == nil {
		u.mu.Lock()
		left := u.left
		u.left = nil
		u.mu.Unlock()
		var again []cache.UploadNote
		for _, note := range left {
			if !u.abort(ctx, r, note) {
				again = append(again, note)
			}
		}
		u.mu.Lock()
		u.left = append(again, u.left...)
		u.mu.Unlock()
		var timer <-chan time.Time
		if len(again) > 0 {
			timer = time.After(pause)
			pause = min(2*pause, maxAbortAgain)
		} else {
			pause = abortAgain
		}
		select {
		case <-ctx.Done():
		case <-u.wake:
		case <-timer:
		}
	}
}

// abort aborts one upload; it returns false if that must be retried.
func (u *uploadNotes) abort(ctx context.Context, r remote.Remote, note cache.UploadNote) bool {
	limited, cancel := context.WithTimeout(ctx, abortLimit)
	defer cancel()
	err := remote.AbortUpload(limited, r, note.Token)
	switch {
	case err == nil:
		u.log.Info("an upload in parts that was interrupted has been aborted", "begun", note.Begun)
	case errors.Is(err, remote.ErrInvalid), errors.Is(err, remote.ErrUnsupported):
		u.log.Warn("an upload in parts that was interrupted is not known to the remote any more", "begun", note.Begun, "error", err)
	default:
		if ctx.Err() == nil {
			u.log.Warn("an upload in parts that was interrupted cannot be aborted yet", "begun", note.Begun, "error", err)
		}
		return false
	}
	u.forget(note)
	return true
}
