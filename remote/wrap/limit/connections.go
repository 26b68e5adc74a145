package limit

import (
	"context"
	"io/fs"

	"ferry/remote/wrap/intercept"
)

// enter waits until a call may begin that has the connection of take.
func (r *Remote) enter(ctx context.Context, take func(context.Context) error, leave func()) error {
	err := take(ctx)
	if err == nil {
		if err = r.begin(ctx); err != nil {
			leave()
		}
	}
	return err
}

func refused(op intercept.Op, name string, err error) error {
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}

// take waits for a free slot.
func (r *Remote) take(ctx context.Context) error { return take(ctx, r.slots) }

// takeLong waits for a free slot for a call that can last.
func (r *Remote) takeLong(ctx context.Context) error {
	if err := take(ctx, r.longSlots); err != nil {
		return err
	}
	err := take(ctx, r.slots)
	if err != nil {
		leave(r.longSlots)
	}
	return err
}

// leave gives a slot back.
func (r *Remote) leave() { leave(r.slots) }

func (r *Remote) leaveLong() {
	leave(r.slots)
	leave(r.longSlots)
}

func take(ctx context.Context, slots chan struct{}) error {
	if slots == nil {
		return nil
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func leave(slots chan struct{}) {
	if slots != nil {
		<-slots
	}
}
