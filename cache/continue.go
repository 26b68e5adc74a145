package cache

import (
	"errors"
	"io/fs"
	"os"

	"ferry/disk"
)

// keepPart moves a file from tmp/ to part/, replacing an older one. Until part/ is synced, a power
// loss may put it back into tmp/.
func (s *Store) keepPart(from string, pt part) error {
	s.changeParts.Lock()
	defer s.changeParts.Unlock()
	id := partID{pt.info.Name, pt.info.Owner}
	pt.path = partPath(id.name, id.owner)
	old, replaced := s.findPart(id)
	if err := s.disk.Rename(from, pt.path); err != nil {
		return err
	}
	s.quota.transition(stateDraft, statePart, pt.bytes)
	s.indexPart(pt)
	if !replaced {
		return nil
	}
	s.quota.removeFile(statePart, old.bytes)
	if old.path != pt.path {
		_ = s.disk.Remove(old.path) // if the next start finds it, it is the older one, and is dropped
	}
	return nil
}

// continuePart makes the part the file of d.
func (s *Store) continuePart(d *Draft, o CreateOptions) error {
	if err := s.takePart(d, o); err != nil {
		return err
	}
	// A file in part/ counts as synced, so it must not come back there after it has been written
	// to.
	if err := s.syncPart.wait(); err != nil {
		s.quota.removeFile(stateDraft, d.counted)
		return errors.Join(err, d.file.Close(), s.disk.Remove(d.path()))
	}
	return nil
}

// takePart truncates the part to o.Off bytes and moves it to tmp/.
func (s *Store) takePart(d *Draft, o CreateOptions) error {
	s.changeParts.Lock()
	defer s.changeParts.Unlock()
	off, id := o.Off, partID{d.name, d.owner}
	if o.From != "" {
		id.owner = o.From
	}
	pt, ok := s.findPart(id)
	if !ok {
		return &fs.PathError{Op: "create", Path: d.name, Err: fs.ErrNotExist}
	}
	if off > pt.info.Size || off < 0 || o.From != "" && off != pt.info.Size {
		return &fs.PathError{Op: "create", Path: d.name, Err: fs.ErrInvalid}
	}
	f, err := s.disk.OpenFile(pt.path, os.O_RDWR)
	if err != nil {
		return err
	}
	err = s.cutPart(f, &pt, off, d.owner)
	if err == nil {
		err = s.disk.Rename(pt.path, d.path())
	}
	if err != nil {
		s.indexPart(pt) // with the size that it has now
		return errors.Join(err, f.Close())
	}
	s.unindexPart(id)
	s.quota.transition(statePart, stateDraft, pt.bytes)
	d.file, d.slots, d.counted, d.synced = f, pt.slots, pt.bytes, off
	d.goesOn = pt.info.Continues
	d.size.Store(off)
	return nil
}

// cutPart truncates a part to off bytes and makes those durable, whatever is written after them: so
// it writes the header first. The header also names the new owner; a part found under the path of
// another owner is removed.
func (s *Store) cutPart(f disk.File, pt *part, off int64, owner string) error {
	h := header{
		State: statePart, Name: pt.info.Name, Owner: owner, Size: off, Synced: off, Committed: pt.info.ModTime,
		Boot: s.disk.Boot(),
	}
	if pt.info.Continues {
		h.FactsOf = pt.info.Name
	}
	if err := pt.slots.sync(f); err != nil { // an earlier process may have left it unsynced
		return err
	}
	if err := pt.slots.put(f, &h, Durable); err != nil {
		return err
	}
	if err := f.Truncate(dataStart + off); err != nil {
		return err
	}
	s.quota.release(statePart, pt.info.Size-off)
	pt.bytes -= pt.info.Size - off
	pt.info.Size = off
	return nil
}
