package writeback

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry/remote"
)

// SetModTime implements remote.ModTimer. The time of a pending file is sent with it, if the remote
// is known to keep that time; if only an attempt can show that, the file is sent first.
func (v *Tree) SetModTime(ctx context.Context, name string, t time.Time) error {
	if err := v.check(ctx, "setmodtime", name); err != nil {
		return err
	}
	release, err := v.lock(ctx, name)
	if err != nil {
		return pathError("setmodtime", name, err)
	}
	defer release()
	kept := v.CheckTime(name, t)
	for {
		switch st, c := v.look(name); {
		case st == isDeleted || st == underFile:
			return pathError("setmodtime", name, remote.ErrNotExist)
		case st == isFile && v.caps.ModTime == 0:
			return pathError("setmodtime", name, remote.ErrUnsupported)
		case st == isFile && errors.Is(kept, remote.ErrInvalid):
			return kept
		case st == isFile && kept != nil && c.refused:
			return pathError("setmodtime", name, remote.ErrPermission)
		case st == isFile && kept == nil:
			if set, err := v.setTimeOfWaiting(ctx, c, t); set || err != nil {
				return pathError("setmodtime", name, err)
			}
		default:
			if err := v.sendFirst(ctx, c); err != nil {
				return pathError("setmodtime", name, err)
			}
			return v.setRemoteTime(ctx, name, t)
		}
	}
}

// SetsTimes implements remote.TimeTeller: that of a file that waits is sent with it.
func (v *Tree) SetsTimes() bool {
	return remote.SetsTimes(v.remote) || v.mode != Minimal && v.caps.ModTime != 0
}

// CheckTime implements remote.TimeChecker.
func (v *Tree) CheckTime(name string, t time.Time) error {
	return remote.CheckTime(v.remote, name, t)
}

// setRemoteTime sets a time on the remote. If the remote cannot set times, the error still shows
// whether the file exists.
func (v *Tree) setRemoteTime(ctx context.Context, name string, t time.Time) error {
	defer v.noteRemoteChange()
	err := v.doubts.ask(ctx, func(ctx context.Context) error { return remote.SetModTime(ctx, v.remote, name, t) }, name)
	if !errors.Is(err, remote.ErrUnsupported) {
		return err
	}
	if _, statErr := v.names.Stat(ctx, name); statErr != nil {
		return statErr
	}
	return err
}

func (v *Tree) setTimeOfWaiting(ctx context.Context, c *change, t time.Time) (bool, error) {
	if pinned, err := v.pin(ctx, c); !pinned {
		return false, err
	}
	defer v.unpin(c)
	v.mu.Lock()
	rec, over := c.rec, c.over
	rec.ModTime = t
	if c.begun && !t.Equal(c.rec.ModTime) { // it may be there with the time of before
		over = over.with(&ownContent{size: c.rec.Size, modTime: c.rec.ModTime, sentTime: c.sentTime})
	}
	rec.Sent = v.sentOf(rec, over, c.left)
	v.mu.Unlock()
	if _, err := v.store.Update(ctx, rec, v.durability()); err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.rec.ModTime, c.over = t, over
	c.noteOwn()
	v.pending.edits++
	if c.isApplied {
		c.due = time.Now()
	}
	return true, nil
}

// sendFirst waits until c, which may be nil, is on the remote. If it is refused, the remote has
// another file: ErrPermission.
func (v *Tree) sendFirst(ctx context.Context, c *change) error {
	if c == nil {
		return nil
	}
	if err := v.flushFirst(ctx, c.rec.Name); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, now := v.pending.look(c.rec.Name); now != nil && now.refused {
		return remote.ErrPermission
	}
	return nil
}

// SetMode implements remote.Moder. A pending file is sent first.
func (v *Tree) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	if err := v.check(ctx, "setmode", name); err != nil {
		return err
	}
	release, err := v.lock(ctx, name)
	if err != nil {
		return pathError("setmode", name, err)
	}
	defer release()
	st, c := v.look(name)
	if st == isDeleted || st == underFile {
		return pathError("setmode", name, remote.ErrNotExist)
	}
	if c != nil && c.refused {
		return pathError("setmode", name, remote.ErrPermission)
	}
	if v.caps.Modes {
		if err := v.sendFirst(ctx, c); err != nil {
			return pathError("setmode", name, err)
		}
	}
	return v.doubts.ask(ctx, func(ctx context.Context) error { return remote.SetMode(ctx, v.remote, name, perm) }, name)
}
