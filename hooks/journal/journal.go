// Package journal keeps values by number in one file that only grows at its end, so that keeping
// one costs a write and no more. What was written survives the death of the process, and after a
// Sync a loss of power. What is deleted leaves the file when it is written anew.
//
// The files, in reading order:
//
//	journal.go   Journal; record.go: the bytes of the file
//	open.go      what is found in a file
//	sync.go      many callers wait for one sync
//	compact.go   the file written anew
package journal

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"ferry/disk"
)

// A Journal is a set of values by number. It may be used concurrently.
type Journal struct {
	disk    disk.Disk
	lock    io.Closer
	cut     int64 // bytes of a torn end that Open left out
	garbage int64 // how much of the file may always be of values that are not there any more

	mu      sync.Mutex
	changed *sync.Cond // syncing has ended
	file    disk.File
	values  map[uint64]span
	live    int64 // bytes of the records of values
	end     int64 // where the next record goes
	written int64 // bytes ever appended: end, if the file were never written anew
	synced  int64 // of written
	syncing bool  // file is being synced
	moved   bool  // file was written anew, and its name is not durable yet
	closed  bool
	space   []byte // for records that are written; used again
}

// A span is where a value is in the file.
type span struct {
	offset int64
	size   int
}

// record is how much of the file the record of the value takes.
func (s span) record() int64 { return int64(s.size) + headerSize }

// errClosed is the answer after Close.
var errClosed = errors.New("the journal is closed")

// Put keeps value as number key, in the place of the one before.
func (j *Journal) Put(key uint64, value []byte) error {
	if len(value) > maxValue {
		return fmt.Errorf("a value of %d bytes is more than a journal takes", len(value))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	offset := j.end
	if err := j.append(appendRecord(j.space[:0], put, key, value)); err != nil {
		return err
	}
	j.note(key, span{offset + headerSize, len(value)})
	return nil
}

// Delete removes values, by one write. It is no error if there are none.
func (j *Journal) Delete(keys ...uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	records := j.space[:0]
	for _, key := range keys {
		if _, ok := j.values[key]; ok {
			records = appendRecord(records, del, key, nil)
		}
	}
	if len(records) == 0 {
		return nil
	}
	if err := j.append(records); err != nil {
		return err
	}
	for _, key := range keys {
		j.forget(key)
	}
	return nil
}

// maxSpace is how much space is kept to be used again.
const maxSpace = 64 << 10

// append writes records, which are in j.space, at the end. What was not written whole is
// overwritten by the next.
//
// LOCKS_REQUIRED(j.mu)
func (j *Journal) append(records []byte) error {
	if cap(records) <= maxSpace {
		j.space = records
	}
	if j.closed {
		return errClosed
	}
	if _, err := j.file.WriteAt(records, j.end); err != nil {
		return errors.Join(err, j.file.Truncate(j.end))
	}
	j.end += int64(len(records))
	j.written += int64(len(records))
	return nil
}

// note says where a value is.
//
// LOCKS_REQUIRED(j.mu)
func (j *Journal) note(key uint64, s span) {
	j.forget(key)
	j.values[key] = s
	j.live += s.record()
}

// forget leaves a value out.
//
// LOCKS_REQUIRED(j.mu)
func (j *Journal) forget(key uint64) {
	if old, ok := j.values[key]; ok {
		delete(j.values, key)
		j.live -= old.record()
	}
}

// Get returns a value, nil where there is none.
func (j *Journal) Get(key uint64) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s, ok := j.values[key]
	switch {
	case j.closed:
		return nil, errClosed
	case !ok:
		return nil, nil
	}
	return readSpan(j.file, s)
}

func readSpan(f disk.File, s span) ([]byte, error) {
	value := make([]byte, s.size)
	if _, err := f.ReadAt(value, s.offset); err != nil {
		return nil, err
	}
	return value, nil
}

// Keys returns the numbers that have values, in ascending order.
func (j *Journal) Keys() []uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.values))
}

// Live returns how many bytes the values take.
func (j *Journal) Live() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.live
}

// Cut returns how many bytes at the end of the file were no records when it was opened: after a
// loss of power it is what nobody was told is kept.
func (j *Journal) Cut() int64 { return j.cut }

// Close closes the file. What was written is in it.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.syncing {
		j.changed.Wait()
	}
	if j.closed {
		return nil
	}
	j.closed = true
	return errors.Join(j.file.Close(), j.lock.Close())
}
