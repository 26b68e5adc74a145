package cache

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// found is a file left by an earlier process.
type found struct {
	id   string // file name
	h    header
	sl   slots
	size int64 // of the file
	err  error // errDamaged, or the read error

	changed time.Time // when the file was last written
}

// data returns the number of bytes after the header.
func (f *found) data() int64 { return max(f.size-dataStart, 0) }

// sameBoot reports whether the header was written since the last boot: then everything written is
// still there.
func (s *Store) sameBoot(f *found) bool { return f.h.Boot != "" && f.h.Boot == s.disk.Boot() }

// inspectors is how many headers are read concurrently: a cold disk serves several requests at
// once.
const inspectors = 16

// inspect reads the headers of the files in a directory, sorted by name.
func (s *Store) inspect(dir string) ([]found, error) {
	var files []found
	for e, err := range s.disk.ReadDir(dir) {
		if err != nil {
			return nil, err
		}
		files = append(files, found{id: e.Name()})
	}
	slices.SortFunc(files, func(a, b found) int { return strings.Compare(a.id, b.id) })
	errs := make([]error, min(inspectors, len(files)))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			buf := make([]byte, dataStart)
			for n := i; n < len(files) && errs[i] == nil; n += len(errs) {
				errs[i] = s.inspectFile(path.Join(dir, files[n].id), &files[n], buf)
			}
		})
	}
	wg.Wait()
	return files, errors.Join(errs...)
}

// inspectFile reads one header, into buf. A damaged or unreadable header is found.err, not an
// error.
func (s *Store) inspectFile(name string, found *found, buf []byte) error {
	f, err := s.disk.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if found.size, err = f.Size(); err != nil {
		return err
	}
	if found.changed, err = f.ModTime(); err != nil {
		return err
	}
	found.h, found.sl, found.err = readHeader(f, buf)
	if errors.Is(found.err, ErrVersion) {
		return fmt.Errorf("%s: %w; start the version of ferry that wrote it", name, found.err)
	}
	return nil
}
