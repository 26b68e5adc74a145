package writeback

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"ferry/dircache"
	"ferry/events"
	"ferry/remote"
)

// An upload that is published while its client waits has no record that outlives a kill. So who
// must not miss it is told before the remote could have the file (Prepare), and afterwards what
// became of it (Record, Withdraw). If the answer of the remote is lost, settle.go finds out later;
// after a kill whoever was told before asks Stored.

// An announcement is an upload that is about to be published. Nil is one of which nobody is told.
type announcement struct {
	teller *teller
	origin *events.Origin
	told   *events.Event
	begun  bool // a client waits, of whom another event tells
	// request is that of a Put which was begun before; nil = the request is made under watch.
	request *request
	doubt   atomic.Bool
}

// announce tells that the file name is about to be published, of the upload that began with the
// Origin begun, which may be nil, by the Commit of s, or otherwise if that is nil. A size below 0
// is unknown, and so is a time of zero. After an error the file must not be published, otherwise
// end follows. The caller has locked the name, and waited for doubts about it.
func (t *teller) announce(
	ctx context.Context, begun *events.Origin, name string, s remote.Stage, size int64, modTime time.Time,
) (*announcement, error) {
	if !t.stream.Wants(events.UploadStored) {
		return nil, nil
	}
	t.settleNow(ctx, name)
	origin := t.origin(ctx, begun, name)
	if origin == nil {
		return nil, nil
	}
	told := t.event(events.UploadStored, upload{Origin: *origin}, name)
	told.Size, told.ModTime, told.Duration = size, modTime, 0
	if begun != nil {
		told.Duration = since(begun.Time, told.Time)
	}
	if t.stream.Prepares(events.UploadStored) {
		told.Replaced, told.Overwrote = t.replaced(ctx, name, s)
		if err := t.stream.Prepare(ctx, told); err != nil {
			return nil, &unpreparedError{err}
		}
	}
	return &announcement{teller: t, origin: origin, told: told, begun: begun != nil}, nil
}

// watch returns the context for what publishes the file.
func (a *announcement) watch(ctx context.Context) context.Context {
	if a == nil {
		return ctx
	}
	return remote.WithUnanswered(ctx, func() {
		a.doubt.Store(true)
		remote.Unanswered(ctx)
	})
}

// follow notes that the file is published by a Put that was begun before.
func (a *announcement) follow(r *request) {
	if a != nil {
		a.request = r
	}
}

// knownSize returns the size of a Put; below 0 = unknown.
func knownSize(o remote.PutOptions) int64 {
	if o.Size == 0 {
		return -1
	}
	return o.Size
}

// end tells what came of it: the remote has e, or err. A stage that had ended before has no entry.
func (a *announcement) end(ctx context.Context, e remote.Entry, err error) {
	if a == nil {
		return
	}
	told := a.told
	switch {
	case err == nil && e.Name != "":
		told.Time = time.Now()
		told.Duration = since(a.origin.Time, told.Time)
		if e.Size >= 0 {
			told.Size = e.Size
		}
		describe(told, e)
		told.More = a.begun
		// The remote has the file, whatever comes of this; the listener has logged it.
		_ = a.teller.record(ctx, told)
	case a.doubt.Load() || a.request != nil && a.request.inDoubt():
		a.teller.unsettled.add(told)
	default:
		a.teller.stream.Withdraw(context.WithoutCancel(ctx), told)
	}
}

// replaced returns the version of the file that is about to be replaced, as far as that is known
// without a request that takes long. s is the stage that replaces it, or nil.
func (t *teller) replaced(ctx context.Context, name string, s remote.Stage) (version string, there bool) {
	if t.names != nil && !t.names.Uncached() {
		switch e, k := t.names.Recall(name); k {
		case dircache.Fresh:
			return versionOf(e), !e.Dir
		case dircache.Missing:
			return "", false
		}
	}
	if e, ok, err := remote.Replaces(ctx, s); ok {
		return versionOf(e), err == nil && !e.Dir
	}
	// A file that an earlier process has just stored cannot be told from this one by its time.
	if t.below.Info().Caps.CheapStat || time.Since(t.began) < 2*clockError {
		e, err := t.below.Stat(ctx, name)
		return versionOf(e), err == nil && !e.Dir
	}
	return "", false
}

// An unpreparedError means that an upload is not published because it could not be told of.
type unpreparedError struct{ err error }

func (e *unpreparedError) Error() string {
	return "what becomes of the upload could not be noted: " + e.err.Error()
}

// Unwrap makes it an ErrNoSpace: that is over when what was noted before has been delivered.
func (e *unpreparedError) Unwrap() []error { return []error{remote.ErrNoSpace, e.err} }

// Hint returns the text for an FTP client.
func (e *unpreparedError) Hint() string {
	if hint := interface{ Hint() string }(nil); errors.As(e.err, &hint) {
		return hint.Hint()
	}
	return "The server cannot take note of the file now; send it again later."
}
