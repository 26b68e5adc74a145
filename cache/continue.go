package cache

import (
	"errors"
	"io/fs"
	"os"

	"ferry/disk"
)

// keepPart moves a file from tmp/ to part/, over an older one. It may come back in tmp/ until part/
// is synced.
func (s *Store) keepPart(from string, pt part) error {
	s.changeParts.Lock()
	defer s.changeParts.Unlock()
	id := partID{pt.info.Name, pt.info.Owner}
	pt.path = partPath(id.name, id.owner)
	old, replaced := s.findPart(id)
	if err := s.disk.Rename(from, pt.path); err != nil {
		return err
	}
	s.room.move(stateDraft, statePart, pt.bytes)
	s.indexPart(pt)
	if !replaced {
		return nil
	}
	s.room.leave(statePart, old.bytes)
	if old.path != pt.path {
		_ = s.disk.Remove(old.path) // found at the next start it counts as older, and goes
	}
	return nil
}

// continuePart makes the owner's part the file of d.
func (s *Store) continuePart(d *Draft, o Begin) error {
	if err := s.takePart(d, o); err != nil {
		return err
	}
	// What is found in part/ counts as synced, so it must not come back there once it is written
	// to.
	if err := s.syncPart.wait(); err != nil {
		s.room.leave(stateDraft, d.counted)
		return errors.Join(err, d.file.Close(), s.disk.Remove(d.path()))
	}
	return nil
}

// takePart cuts the part to o.Off bytes and moves it to tmp/.
func (s *Store) takePart(d *Draft, o Begin) error {
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
		s.indexPart(pt) // as far as it was cut
		return errors.Join(err, f.Close())
	}
	s.unindexPart(id)
	s.room.move(statePart, stateDraft, pt.bytes)
	d.file, d.slots, d.counted, d.synced = f, pt.slots, pt.bytes, off
	d.goesOn = pt.info.Continues
	d.size.Store(off)
	return nil
}

// cutPart shortens a part to off bytes, and makes those survive a loss of power as they are,
// whatever is written behind them: so the header says so first. It also says whose it is from now
// on; one that is found under another owner's name is removed.
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
	if err := s.putHeader(f, &pt.slots, &h, Durable); err != nil {
		return err
	}
	if err := f.Truncate(dataStart + off); err != nil {
		return err
	}
	s.room.give(statePart, pt.info.Size-off)
	pt.bytes -= pt.info.Size - off
	pt.info.Size = off
	return nil
}
