package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"ferry/disk"
)

// The files of a journal.
const (
	fileName = "journal"
	newName  = "journal.new" // being written anew
	lockName = "lock"
)

// leastGarbage is how much garbage is left alone.
const leastGarbage = 4 << 20

// Open opens the journal in d, which is made where there is none. If another process has it open,
// the error is a *disk.HeldError. The caller closes d after the Journal.
func Open(d disk.Disk) (_ *Journal, err error) {
	lock, err := d.Lock(lockName)
	if err != nil {
		return nil, err
	}
	j := &Journal{disk: d, lock: lock, garbage: leastGarbage, values: map[uint64]span{}}
	j.changed = sync.NewCond(&j.mu)
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	if err := d.Remove(newName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	j.file, err = d.OpenFile(fileName, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		if j.file, err = create(d, fileName); err == nil {
			err = d.SyncDir(".")
		}
	}
	if err != nil {
		return nil, err
	}
	if err := j.load(); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// create makes an empty file, whose content is durable.
func create(d disk.Disk, name string) (disk.File, error) {
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteAt([]byte(magic), 0); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// load reads the file, and cuts off what is no record.
func (j *Journal) load() error {
	size, err := j.file.Size()
	if err != nil {
		return err
	}
	begin := make([]byte, min(int64(len(magic)), size))
	if _, err := j.file.ReadAt(begin, 0); err != nil && err != io.EOF {
		return err
	}
	switch {
	case string(begin) == magic[:len(begin)] && len(begin) < len(magic): // it was just being made
		if _, err := j.file.WriteAt([]byte(magic), 0); err != nil {
			return err
		}
		size = int64(len(magic))
	case string(begin) != magic:
		return fmt.Errorf("the file %s is not one of this ferry, or damaged: move it away", fileName)
	}
	j.end = int64(len(magic))
	j.end, err = scan(j.file, j.end, size, func(h header, offset int64) error {
		if h.op == del {
			j.forget(h.key)
		} else {
			j.note(h.key, span{offset + headerSize, h.size})
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.written = j.end
	if j.cut = size - j.end; j.cut > 0 {
		return j.file.Truncate(j.end)
	}
	return nil
}

// scan calls found with each record between two offsets, and returns where the first is that is
// none.
func scan(f disk.File, from, to int64, found func(h header, offset int64) error) (end int64, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), 256<<10)
	begin := make([]byte, headerSize)
	for at := from; ; {
		if _, err := io.ReadFull(in, begin); err != nil {
			return at, unlessEnd(err)
		}
		h := decode(begin)
		if !h.valid() || int64(h.size) > to-at-headerSize {
			return at, nil
		}
		record := append(begin[:headerSize:headerSize], make([]byte, h.size)...)
		if _, err := io.ReadFull(in, record[headerSize:]); err != nil {
			return at, unlessEnd(err)
		}
		if checksum(record[4:]) != h.sum {
			return at, nil
		}
		if err := found(h, at); err != nil {
			return at, err
		}
		at += int64(len(record))
	}
}

func unlessEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
