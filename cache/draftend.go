package cache

import (
	"errors"
	"io/fs"
	"path"

	"ferry/disk"
)

// beginCall begins a call of the writing goroutine.
func (d *Draft) beginCall() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return fs.ErrClosed
	}
	d.busy = true
	return nil
}

// endCall ends the call. If Keep or Abort was called meanwhile, it runs their deferred work.
func (d *Draft) endCall() error {
	d.mu.Lock()
	finish := d.finish
	d.busy, d.finish = false, nil
	d.mu.Unlock()
	if finish == nil {
		return nil
	}
	return errors.Join(fs.ErrClosed, finish())
}

// endDraft ends the call that ended the draft.
func (d *Draft) endDraft() {
	d.mu.Lock()
	d.busy, d.finish, d.ended = false, nil, true
	d.mu.Unlock()
	d.stopWaiting()
	d.unhook()
}

// end runs finish once, as soon as no call of the writing goroutine is under way.
func (d *Draft) end(finish func() error) error {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return nil
	}
	d.ended = true
	if d.busy {
		d.finish = finish
	}
	later := d.busy
	d.mu.Unlock()
	d.stopWaiting()
	d.unhook()
	if later {
		return nil
	}
	return finish()
}

func (d *Draft) stopWaiting() { d.stop.Do(func() { close(d.stopped) }) }

// Abort ends the draft and discards its content.
func (d *Draft) Abort() error { return d.end(d.discard) }

func (d *Draft) discard() error {
	err := d.file.Close()
	if !d.unnamed {
		err = errors.Join(err, d.s.disk.Remove(d.path()))
	}
	d.s.quota.removeFile(stateDraft, d.counted-d.released.Load())
	return err
}

// fail wraps the error of a call.
func (d *Draft) fail(err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "write", Path: d.name, Err: err}
}

// giveName makes sure that the file has the name that a draft has.
func (d *Draft) giveName() error {
	if !d.unnamed {
		return nil
	}
	return d.moveTo(d.path())
}

// moveTo gives the file another name than that of a draft, or the first it has.
func (d *Draft) moveTo(to string) error {
	if !d.unnamed {
		return d.s.disk.Rename(d.path(), to)
	}
	err := d.s.disk.(disk.Namer).Name(d.file, to)
	d.unnamed = err != nil
	return err
}

func (d *Draft) path() string { return path.Join(tmpDir, d.id) }

// header describes the draft in state st.
func (d *Draft) header(st state) header {
	h := header{State: st, Name: d.name, Owner: d.owner, Boot: d.s.disk.Boot(), Spooled: true}
	if d.streamed.Load() {
		h.Owner = ""
	}
	if d.goesOn {
		h.FactsOf = d.name
	}
	return h
}
