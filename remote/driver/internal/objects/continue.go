package objects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ferry/remote"
)

// A boundaryError says that an unfinished upload cannot be continued at an offset. It is
// remote.ErrInvalid.
type boundaryError struct{ size int64 }

func (e *boundaryError) Error() string {
	return fmt.Sprintf("what the store has of an unfinished upload cannot be cut there: it goes on at %d, or anew", e.size)
}

// Hint is what an FTP client is told.
func (e *boundaryError) Hint() string {
	return fmt.Sprintf("The upload can be continued at %d, or begun anew.", e.size)
}

func (e *boundaryError) Unwrap() error { return remote.ErrInvalid }

// takePart takes the unfinished upload that o continues: it is leased from then on. The manifest
// has what the stage begins with: nil = nothing.
func (t *Tree) takePart(ctx context.Context, k Key, o remote.StageOptions) (*manifest, error) {
	if !t.keepsParts() {
		return nil, remote.ErrNotExist
	}
	// Of several sessions of this process one does, whatever the service makes of preconditions.
	select {
	case t.taking <- struct{}{}:
		defer func() { <-t.taking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	m, err := t.part(ctx, k, o.PartOwner())
	if err != nil {
		return nil, err
	}
	off, err := o.PartOffset(m.Size)
	switch {
	case err != nil:
		return nil, err
	case m.leased():
		return nil, errElsewhere
	case off == 0:
		return nil, t.forget(ctx, m)
	}
	doubtful := m.Lease != nil // whoever had it did not end it
	taken := *m
	if off < m.Sent.Size {
		cut, ok := t.keeper.Cut(m.Sent, off)
		if !ok {
			return nil, &boundaryError{m.Size}
		}
		taken.Sent, taken.Tail, taken.Size = cut, nil, off
	}
	taken.Moved = m.movedFrom(t)
	taken.Lease = &lease{t.node, time.Now().Add(t.leaseTime()).UTC()}
	if err := t.write(ctx, &taken); err != nil {
		if errors.Is(err, remote.ErrChanged) { // somebody was faster
			if _, err = t.part(ctx, k, o.PartOwner()); err == nil {
				err = errElsewhere
			}
		}
		return nil, err
	}
	if m.Tail != nil && taken.Tail == nil {
		_ = t.dropTail(ctx, m)
	}
	taken.Sent.Doubtful = doubtful
	return &taken, nil
}

// release gives back what takePart took.
func (t *Tree) release(ctx context.Context, m *manifest) {
	m.Lease = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_ = t.write(ctx, m) // else the lease ends by itself
}

// resume begins a draft with what m describes, up to the offset that o asks for.
func (t *Tree) resume(ctx context.Context, k Key, m *manifest, o remote.StageOptions, create CreateOptions) (d Draft, err error) {
	if m.Sent.Size > 0 {
		d, err = t.keeper.Continue(ctx, k, m.Sent, create)
	} else {
		d, err = t.anew(ctx, k, m.Continues, create)
	}
	if err != nil {
		return nil, err
	}
	off := o.Off
	if off == remote.AtEnd {
		off = m.Size
	}
	if rest := off - m.Sent.Size; rest > 0 {
		if err = t.copyTail(ctx, m, rest, d); err != nil {
			if kept, ok := d.(KeptDraft); ok {
				kept.Release()
			}
			return nil, err
		}
	}
	return d, nil
}

// anew begins an empty draft, which takes over the facts of the file of that name if it continues
// that.
func (t *Tree) anew(ctx context.Context, k Key, continues bool, o CreateOptions) (Draft, error) {
	if continues {
		base, err := t.store.Head(ctx, k)
		switch {
		case err == nil && !base.Dir:
			o.Base = base
		case err != nil && !errors.Is(err, remote.ErrNotExist):
			return nil, err
		}
	}
	return t.store.Create(ctx, k, o)
}
