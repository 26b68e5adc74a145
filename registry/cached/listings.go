package cached

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/disk"
	"ferry/remote"
)

// listings keeps what a remote said of its directories: those used of late in memory, and all in
// files.
//
// The file of a directory is lists/HH/H, where H is the hash of its path and HH how that begins. It
// is written as a whole and renamed into its place: the magic, the CRC-32C of the rest in 4 bytes,
// lowest first, and a listing as a gob. What is anything else counts as not being there.
//
// A listing is removed before the directory is changed. As nothing is synced, the loss of power may
// bring it back: so one of an earlier run of the machine is too old, whatever its age.
type listings struct {
	disk disk.Disk
	age  time.Duration

	mu      sync.Mutex
	memory  map[string]*listing // guarded by mu
	count   int                 // guarded by mu; entries in memory
	changes uint64              // guarded by mu; how often anything was dropped
}

// A listing is a directory as the remote listed it. It is never changed.
type listing struct {
	Dir     string
	At      time.Time // when the listing began
	Boot    string    // the run of the machine
	Entries []remote.Entry
}

const (
	listsDir = "lists"
	magic    = "ferrydir"
	// maxKept is how many entries a directory may have whose listing is kept, and how many are in
	// memory.
	maxKept = 100_000
)

func newListings(d disk.Disk, age time.Duration) (*listings, error) {
	return &listings{disk: d, age: age, memory: map[string]*listing{}}, d.Mkdir(listsDir)
}

func pathOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	h := hex.EncodeToString(sum[:16])
	return path.Join(listsDir, h[:2], h)
}

// get returns the listing of dir, nil when there is none, and whether it counts.
func (s *listings) get(dir string) (l *listing, isFresh bool) {
	s.mu.Lock()
	l, changes := s.memory[dir], s.changes
	s.mu.Unlock()
	if l == nil {
		if l = s.read(dir); l == nil {
			return nil, false
		}
		s.remember(l, changes)
	}
	age := time.Since(l.At) // below 0 where the clock was set back since
	return l, l.Boot == s.disk.Boot() && age >= 0 && age < s.age
}

// remember keeps l in memory, unless something was dropped since.
func (s *listings) remember(l *listing, changes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes || len(l.Entries) > maxKept {
		return
	}
	s.forget(l.Dir)
	if s.count+len(l.Entries) > maxKept {
		clear(s.memory)
		s.count = 0
	}
	s.memory[l.Dir] = l
	s.count += len(l.Entries)
}

// LOCKS_REQUIRED(s.mu)
func (s *listings) forget(dir string) {
	if l := s.memory[dir]; l != nil {
		s.count -= len(l.Entries)
		delete(s.memory, dir)
	}
}

// lookup finds the entry called base; unfinished uploads have none.
func (l *listing) lookup(base string) (remote.Entry, bool) {
	i, found := slices.BinarySearchFunc(l.Entries, base, func(e remote.Entry, name string) int {
		return strings.Compare(e.Name, name)
	})
	for ; found && i < len(l.Entries) && l.Entries[i].Name == base; i++ {
		if l.Entries[i].Part == "" {
			return l.Entries[i], true
		}
	}
	return remote.Entry{}, false
}

// known returns what a listing that counts says of name.
func (s *listings) known(name string) (remote.Entry, bool) {
	dir, base := remote.Split(name)
	l, isFresh := s.get(dir)
	if !isFresh || name == "." {
		return remote.Entry{}, false
	}
	return l.lookup(base)
}

// hasFile reports whether name is surely a file, as far as any listing says.
func (s *listings) hasFile(name string) bool {
	dir, base := remote.Split(name)
	l, _ := s.get(dir)
	if l == nil {
		return false
	}
	e, found := l.lookup(base)
	return found && !e.Dir
}

// begun returns what keep wants to know of the time at which a listing began.
func (s *listings) begun() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// keep keeps a listing, unless something was dropped since it began. Where the disk fails nothing
// is kept.
func (s *listings) keep(l *listing, changes uint64) {
	slices.SortFunc(l.Entries, func(a, b remote.Entry) int { return strings.Compare(a.Name, b.Name) })
	l.Boot = s.disk.Boot()
	tmp, err := s.write(l)
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.changes == changes {
		err = s.disk.Rename(tmp, pathOf(l.Dir))
	}
	stale := s.changes != changes
	s.mu.Unlock()
	if stale || err != nil {
		_ = s.disk.Remove(tmp) // it is in nobody's way
		return
	}
	s.remember(l, changes)
}

// drop forgets the listings that names are in, and those of the directories of these names. On a
// remote whose directories exist by having files in them, those above may come or go too.
func (s *listings) drop(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	for _, name := range names {
		s.remove(name)
		for name != "." {
			name, _ = remote.Split(name)
			s.remove(name)
		}
	}
}

// LOCKS_REQUIRED(s.mu)
func (s *listings) remove(dir string) {
	s.forget(dir)
	_ = s.disk.Remove(pathOf(dir)) // mostly there is none
}

// dropAll forgets every listing.
func (s *listings) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	clear(s.memory)
	s.count = 0
	for dir, err := range s.disk.ReadDir(listsDir) {
		if err != nil {
			return
		}
		for f, err := range s.disk.ReadDir(path.Join(listsDir, dir.Name())) {
			if err != nil {
				break
			}
			_ = s.disk.Remove(path.Join(listsDir, dir.Name(), f.Name()))
		}
	}
}

// write puts l into a file of its own and returns its name.
func (s *listings) write(l *listing) (name string, err error) {
	var b bytes.Buffer
	b.WriteString(magic + "\x00\x00\x00\x00")
	if err := gob.NewEncoder(&b).Encode(l); err != nil {
		return "", err
	}
	data := b.Bytes()
	binary.LittleEndian.PutUint32(data[len(magic):], checksum(data[len(magic)+4:]))
	name = path.Dir(pathOf(l.Dir)) + "/tmp" + rand.Text()
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL
	f, err := s.disk.OpenFile(name, flags)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.disk.Mkdir(path.Dir(name)); err != nil {
			return "", err
		}
		f, err = s.disk.OpenFile(name, flags)
	}
	if err != nil {
		return "", err
	}
	_, err = f.WriteAt(data, 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, s.disk.Remove(name))
	}
	return name, nil
}

// read returns the listing in the file of dir, nil when there is none.
func (s *listings) read(dir string) *listing {
	f, err := s.disk.OpenFile(pathOf(dir), os.O_RDONLY)
	if err != nil {
		return nil
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return nil
	}
	rest, found := bytes.CutPrefix(data, []byte(magic))
	if !found || len(rest) < 4 || binary.LittleEndian.Uint32(rest) != checksum(rest[4:]) {
		return nil
	}
	l := new(listing)
	if err := gob.NewDecoder(bytes.NewReader(rest[4:])).Decode(l); err != nil || l.Dir != dir {
		return nil
	}
	return l
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// silent reports whether err says nothing of what is there: the remote did not answer.
func silent(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && !remote.Permanent(err)
}
