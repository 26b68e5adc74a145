package journal

import (
	"errors"
	"io"
	"maps"
	"slices"

	"ferry/disk"
)

// tailUnderLock is how much is copied at most while nobody else can write.
const tailUnderLock = 64 << 10

// Compact writes the file anew without what was deleted, if that is most of it. Values are kept and
// read meanwhile. Only one call may run at a time.
func (j *Journal) Compact() error {
	j.mu.Lock()
	garbage := j.end - int64(len(magic)) - j.live
	if j.closed || garbage <= max(j.garbage, j.live) {
		j.mu.Unlock()
		return nil
	}
	was, values, upTo := j.file, maps.Clone(j.values), j.end
	j.mu.Unlock()

	f, err := create(j.disk, newName)
	if err != nil {
		return err
	}
	if err = j.rewrite(f, was, values, upTo); err != nil {
		return errors.Join(err, f.Close(), j.disk.Remove(newName))
	}
	return was.Close()
}

// rewrite copies what was in the file up to an offset, and then what was added since, to a new file
// that it puts in the place of the old one.
func (j *Journal) rewrite(f, was disk.File, values map[uint64]span, upTo int64) error {
	next := &Journal{file: f, values: map[uint64]span{}, end: int64(len(magic))}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value, err := readSpan(was, values[key])
		if err == nil {
			err = next.Put(key, value)
		}
		if err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	for {
		j.mu.Lock()
		end := j.end
		if end-upTo <= tailUnderLock {
			break
		}
		j.mu.Unlock()
		if err := next.add(was, upTo, end); err != nil {
			return err
		}
		upTo = end
	}
	defer j.mu.Unlock()
	for j.syncing {
		j.changed.Wait()
	}
	if j.closed {
		return errClosed
	}
	err := next.add(was, upTo, j.end)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.disk.Rename(newName, fileName)
	}
	if err != nil {
		return err
	}
	// Until the directory is synced, the old file may come back with a loss of power. All that was
	// synced is in either.
	j.file, j.values, j.live, j.end, j.moved = f, next.values, next.live, next.end, true
	return nil
}

// add copies the records between two offsets of another file.
func (j *Journal) add(from disk.File, begin, end int64) error {
	at, err := scan(from, begin, end, func(h header, offset int64) error {
		if h.op == del {
			return j.Delete(h.key)
		}
		value, err := readSpan(from, span{offset + headerSize, h.size})
		if err != nil {
			return err
		}
		return j.Put(h.key, value)
	})
	if err == nil && at != end {
		err = io.ErrUnexpectedEOF
	}
	return err
}
