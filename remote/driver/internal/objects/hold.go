package objects

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/remote"
)

// A hold is what a stage does so that its upload can be continued by another process: it writes
// down from time to time what was sent, under a lease, and at the end what there is.
type hold struct {
	tree      *Tree
	key       Key // of the file
	owner     string
	id        string
	continues bool
	moved     bool // other processes have had the upload, too
	draft     KeptDraft
	cancel    context.CancelFunc // ends a request of tick

	mu      sync.Mutex
	timer   *time.Timer // guarded by mu
	last    *manifest   // guarded by mu; what is written down and belongs to this upload, or nil
	renewed time.Time   // guarded by mu; when it was begun to write that
	apart   bool        // guarded by mu; nothing is written down before the end
	lost    bool        // guarded by mu; another process continues the upload
	ended   bool        // guarded by mu
}

// A takenError says that another process has the upload. It is remote.ErrChanged.
type takenError struct{ message string }

func (e *takenError) Error() string { return e.message }

// Hint is what an FTP client is told.
func (e *takenError) Hint() string { return e.message }

func (e *takenError) Unwrap() error { return remote.ErrChanged }

var (
	errTaken     = &takenError{"The upload is continued by another session."}
	errElsewhere = &takenError{"The upload is still under way elsewhere, or its server has failed a moment ago. Try again in half a minute."}
)

// start begins to write down what is sent, when there is something. m is the manifest that the
// upload goes on from, and leased, or nil.
func (h *hold) start(ctx context.Context, m *manifest) {
	h.id = newID()
	if m != nil {
		h.id, h.last, h.renewed, h.continues, h.moved = m.ID, m, time.Now(), m.Continues, m.Moved
	}
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(h.tree.tick, func() { h.write(ctx) })
}

// write writes down what was sent, once for each tick.
func (h *hold) write(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || h.apart || h.lost || h.tree.dead.Load() {
		return
	}
	sent := h.draft.Sent()
	if h.last != nil || sent.Size > 0 {
		limited, cancel := context.WithTimeout(ctx, settleTime/2)
		h.renew(limited, sent)
		cancel()
	}
	if !h.apart && !h.lost {
		h.timer.Reset(h.tree.tick)
	}
}

// renew writes down what was sent, with a new lease. A failure on the way is made good by the next
// one.
// LOCKS_REQUIRED(h.mu)
func (h *hold) renew(ctx context.Context, sent Sent) {
	t, now := h.tree, time.Now()
	m := &manifest{
		ID: h.id, Owner: h.owner, Key: escaped(h.key), Size: sent.Size, Sent: sent, Continues: h.continues, Moved: h.moved,
		Lease: &lease{t.node, now.Add(t.leaseTime()).UTC()}, at: t.slot(h.key, h.owner),
	}
	old := h.last
	if old != nil {
		m.at, m.Owner, m.version = old.at, old.Owner, old.version
		if sent.Size < old.Size { // it has not come as far as what was kept
			m.Size, m.Sent, m.Tail = old.Size, old.Sent, old.Tail
		}
	}
	err := t.write(ctx, m)
	switch {
	case err == nil:
		h.last, h.renewed = m, now
		h.draft.Noted()
		if old != nil && old.Tail != nil && m.Tail == nil {
			_ = t.dropTail(ctx, old) // what stays is swept
		}
	case errors.Is(err, remote.ErrChanged) && old == nil:
		h.apart = true // another upload of that name has the place
	case errors.Is(err, remote.ErrChanged):
		h.compare(ctx)
	case remote.Permanent(err):
		t.cannotKeep(ctx, err)
		h.apart = true
	}
}

// compare finds out why the manifest is another one.
// LOCKS_REQUIRED(h.mu)
func (h *hold) compare(ctx context.Context) {
	m, err := h.tree.manifestAt(ctx, h.last.at)
	switch {
	case err != nil && !errors.Is(err, remote.ErrNotExist):
	case err != nil, m.ID != h.id: // it was dropped, or there is a newer upload
		_ = h.tree.dropTail(ctx, h.last)
		h.last, h.apart = nil, true
	case m.Lease != nil && m.Lease.Node == h.tree.node: // written by a request whose answer was lost
		h.last = m
	default:
		h.lost = true
		h.draft.Halt(errTaken)
	}
}

// cannotKeep notes that the store takes nothing for unfinished uploads. The log is told once.
func (t *Tree) cannotKeep(ctx context.Context, err error) {
	if !t.refused.Swap(true) {
		remote.Warn(ctx, "unfinished uploads cannot be kept under "+partsDir+"/: those that are cut begin anew", "error", err)
	}
}

// pause ends what is written down from time to time. It returns an error if the upload is another
// process's by now.
func (h *hold) pause(ctx context.Context) error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer.Stop()
	h.ended = true
	if h.last != nil && !h.lost && time.Since(h.renewed) > h.tree.leaseTime()-h.tree.tick {
		h.renew(ctx, h.draft.Sent())
	}
	if h.lost {
		return errTaken
	}
	return nil
}

// learnKept finds out, while the upload h of k is published, whether there are unfinished uploads.
// known returns when it has.
func (t *Tree) learnKept(ctx context.Context, k Key, h *hold) (known func()) {
	if h == nil || !t.kept.stale(k.Bucket) {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.kept.refresh(ctx, k.Bucket)
	}()
	return func() { <-done }
}

// keepTime is how long keeping an upload may take.
const keepTime = time.Minute

// keep ends the draft, and leaves it for its owner. It reports whether there is something.
func (h *hold) keep(ctx context.Context) (kept bool, err error) {
	h.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer.Stop()
	h.ended = true
	h.tree.left.note(h.tree.slot(h.key, h.owner), h.id)
	if h.lost {
		h.draft.Release()
		return true, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	sent, rest := h.draft.Keep(ctx)
	t, slot := h.tree, h.tree.slot(h.key, h.owner)
	m := &manifest{ID: h.id, Owner: h.owner, Key: escaped(h.key), Sent: sent, Continues: h.continues, Moved: h.moved, at: slot}
	if len(rest) > 0 && !t.refused.Load() {
		if m.Tail, err = t.putTail(ctx, slot, rest); err != nil {
			m.Tail = nil
			if remote.Permanent(err) {
				t.cannotKeep(ctx, err)
			}
		}
	}
	m.Size = sent.Size
	if m.Tail != nil {
		m.Size += m.Tail.Size
	}
	if m.Size > 0 && !t.refused.Load() {
		kept, err = h.place(ctx, m)
	}
	if !kept {
		_ = t.dropTail(ctx, m)
		return false, err
	}
	h.draft.Release()
	return true, nil
}

// placeRounds is how often somebody else may come between.
const placeRounds = 10

// place writes the last manifest of the upload, in the place of whatever is there. It reports
// whether the content is to stay.
// LOCKS_REQUIRED(h.mu)
func (h *hold) place(ctx context.Context, m *manifest) (stays bool, err error) {
	t, last := h.tree, h.last
	if last != nil && last.at == m.at {
		m.version = last.version
		if err = t.write(ctx, m); err == nil {
			_ = t.dropTail(ctx, last)
			return true, nil
		}
		if !errors.Is(err, remote.ErrChanged) {
			return false, err
		}
		if h.compare(ctx); h.lost {
			_ = t.dropTail(ctx, m)
			return true, nil
		}
	}
	for range placeRounds {
		old, err := t.manifestAt(ctx, m.at)
		if m.version = ""; err == nil {
			m.version = old.version
		} else if !errors.Is(err, remote.ErrNotExist) {
			return false, err
		}
		err = t.write(ctx, m)
		switch {
		case errors.Is(err, remote.ErrChanged):
			continue
		case err != nil:
			if remote.Permanent(err) {
				t.cannotKeep(ctx, err)
			}
			return false, err
		}
		switch {
		case old == nil:
		case old.ID == m.ID:
			_ = t.dropTail(ctx, old)
		case !old.leased():
			_ = t.dropContent(ctx, old)
		}
		if last != nil && last.at != m.at { // it was another owner's
			h.dropPlace(ctx, last)
		}
		return true, nil
	}
	return false, nil // each time somebody has kept one after it
}

// dropPlace drops a manifest of the upload, and its tail. Another one that has taken its place
// stays.
func (h *hold) dropPlace(ctx context.Context, m *manifest) {
	err := h.tree.store.Delete(ctx, m.at, m.version)
	if err == nil || errors.Is(err, remote.ErrNotExist) {
		h.tree.kept.gone(m.at)
	}
	if err == nil || remote.Permanent(err) {
		_ = h.tree.dropTail(ctx, m)
	}
}

// published drops what was written down of the upload, which is the file by now, and what its owner
// had kept of that name. What stays is found to be dead when it is looked for.
func (h *hold) published(ctx context.Context) {
	h.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tree
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	slot := t.slot(h.key, h.owner)
	t.left.forget(slot)
	if h.last != nil {
		if h.moved {
			t.finish(ctx, h.last)
		}
		h.dropPlace(ctx, h.last)
		if h.last.at == slot {
			h.last = nil
			return
		}
		h.last = nil
	}
	if !t.kept.may(slot) {
		return
	}
	if m, err := t.manifestAt(ctx, slot); err == nil && !m.leased() {
		if m.movedFrom(t) {
			t.finish(ctx, m)
		}
		_ = t.forget(ctx, m)
	} else if errors.Is(err, remote.ErrNotExist) {
		t.kept.gone(slot)
	}
}

// drop ends the draft with all that there is of it, unless another process has it by now.
func (h *hold) drop(ctx context.Context) {
	h.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer.Stop()
	h.ended = true
	if h.last != nil && !h.lost {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		err := h.tree.store.Delete(limited, h.last.at, h.last.version)
		switch {
		case err == nil:
			h.tree.kept.gone(h.last.at)
			_ = h.tree.dropTail(limited, h.last)
		case errors.Is(err, remote.ErrChanged):
			h.compare(limited)
		}
	}
	if h.lost {
		h.draft.Release()
		return
	}
	h.draft.Abort()
}

// StopNoting lets uploads under way write nothing down any more, as if the process had died. It is
// for tests.
func (t *Tree) StopNoting() { t.dead.Store(true) }
