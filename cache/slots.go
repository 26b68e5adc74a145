package cache

import (
	"errors"
	"io"

	"ferry/disk"
)

// A file of the cache begins with two slots. The valid slot with the higher generation is its
// header; an update writes the other one, so that a torn write leaves the header as it was. The
// data follows, at a multiple of the block size of any file system, so that a continuation can
// share the blocks of its beginning.
const (
	slotSize  = 8 << 10
	dataStart = 2 * slotSize
)

// slots tracks which slots of a file are durable. The zero value is a file without a header.
type slots struct {
	generation uint64
	newest     int
	synced     [2]bool // survives a power loss
	loaded     bool    // read from the disk: synced is unknown
}

// target returns the slot to write next: never the only synced one.
func (sl *slots) target() int {
	switch {
	case sl.generation == 0:
		return 0
	case !sl.synced[sl.newest] && sl.synced[1-sl.newest]:
		return sl.newest
	default:
		return 1 - sl.newest
	}
}

// write writes h to the next slot. The header is durable only after sl.sync. After a failed write
// the header may be the old or the new one.
func (sl *slots) write(f disk.File, h *header) error {
	b, err := h.encode(sl.generation + 1)
	if err != nil {
		return err
	}
	to := sl.target()
	sl.generation++
	sl.newest = to
	sl.synced[to] = false
	_, err = f.WriteAt(b, int64(to)*slotSize)
	return err
}

// put writes the next header of a file, and syncs the file if dur is Durable.
func (sl *slots) put(f disk.File, h *header, dur Durability) error {
	if err := sl.write(f, h); err != nil {
		return err
	}
	if dur == Spooled {
		return nil
	}
	return sl.sync(f)
}

// sync makes the current content of the file durable.
func (sl *slots) sync(f disk.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	sl.synced[sl.newest] = true
	sl.loaded = false
	return nil
}

// readHeader returns the header of f and its slots: the newest one is valid, but may not be synced.
// It reads into b, which has dataStart bytes.
func readHeader(f disk.File, b []byte) (header, slots, error) {
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, slots{}, err
	}
	var (
		found  header
		sl     slots
		failed = errDamaged
	)
	for i := range 2 {
		h, generation, err := decodeHeader(b[min(n, i*slotSize):min(n, (i+1)*slotSize)])
		switch {
		case errors.Is(err, ErrVersion):
			return header{}, slots{}, err
		case err == nil && generation > sl.generation:
			found, failed = h, nil
			sl = slots{generation: generation, newest: i, loaded: true}
		}
	}
	return found, sl, failed
}
