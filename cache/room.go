package cache

import (
	"errors"
	"os"
	"path"
)

// Free returns how many bytes can be written before anything has to be evicted: below the limit,
// and on the disk above Options.MinFree. It is below 0 where the disk has less. Where neither is
// known, it is an errors.ErrUnsupported.
func (s *Store) Free() (int64, error) {
	q := s.quota
	onDisk, err := q.free()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, err
	}
	known := err == nil
	onDisk -= q.minFree
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	if limit := q.share.max; limit > 0 && (!known || limit-q.share.used < onDisk) {
		return limit - q.share.used, nil
	}
	return onDisk, err
}

// CheckWritable writes a byte to the disk and removes it again.
func (s *Store) CheckWritable() error {
	name := path.Join(tmpDir, newID())
	f, err := s.disk.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{0}, 0)
	return errors.Join(err, f.Close(), s.disk.Remove(name))
}
