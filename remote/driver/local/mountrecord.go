package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A mountRecord says where a served directory was when it was on a mounted file system. It
// outlives the process, so that the next one does not take for the directory what lies beneath the
// mount point.
type mountRecord struct {
	Path  string `json:"path"`  // as it is served
	Mount string `json:"mount"` // the mount point that it was on
	Dev   uint64 `json:"dev"`   // with Ino, which directory it was
	Ino   uint64 `json:"ino"`
}

// recordFile returns the name of the record of the directory path among those in dir, "" when
// there are none.
func recordFile(dir, path string) string {
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(dir, hex.EncodeToString(sum[:8])+".json")
}

// readRecord returns what a file says of the directory path: nothing when there is no file, or
// none that can be read.
func readRecord(file, path string) (m mountRecord) {
	if file == "" {
		return m
	}
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &m) != nil || m.Path != path || !filepath.IsAbs(m.Mount) {
		return mountRecord{}
	}
	return m
}

// writeRecord puts m in the place of what a file says, whole or not at all, even when the power
// fails. One of no mount is a file that is not there.
func writeRecord(file string, m mountRecord) error {
	if m.Mount == "" {
		err := os.Remove(file)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // after the rename it is not there
	_, err = temp.Write(append(text, '\n'))
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

// ForgetMount removes the record of the directory root among those in dir, the MountRecords of
// Options: what is there now is the directory. It returns the mount point that was recorded, ""
// for none.
func ForgetMount(dir, root string) (mount string, err error) {
	path, err := filepath.Abs(root)
	if err != nil || dir == "" {
		return "", err
	}
	file := recordFile(dir, path)
	m := readRecord(file, path)
	return m.Mount, writeRecord(file, mountRecord{})
}

// MissingRecorded returns the mount point that the directory was on when it was served last, and
// the file that says so, if nothing has been mounted there since the start; else "". Calls fail
// until something is, or the file is removed.
func (r *Remote) MissingRecorded() (mount, file string) {
	s := r.served
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen {
		return "", ""
	}
	return s.mount, s.record
}

// MountUnrecorded returns why the mount point of the directory could not be recorded in
// Options.MountRecords, nil when it was, or need not be.
func (r *Remote) MountUnrecorded() error {
	r.served.mu.Lock()
	defer r.served.mu.Unlock()
	return r.served.unrecorded
}

// recall reads on which mount point the directory was last time.
func (s *served) recall(dir string) {
	s.record = recordFile(dir, s.path)
	m := readRecord(s.record, s.path)
	s.mount, s.at = m.Mount, place{dev: m.Dev, ino: m.Ino}
}

// forgotten reports whether the mount point is known from the record only, and somebody has
// removed that.
//
// LOCKS_REQUIRED(s.mu)
func (s *served) forgotten() bool {
	if s.seen {
		return false
	}
	_, err := os.Lstat(s.record)
	return errors.Is(err, fs.ErrNotExist)
}

// arrive notes that the directory is the one at a place, on a mount point, and records what has
// changed.
//
// LOCKS_REQUIRED(s.mu)
func (s *served) arrive(at place, mount string) {
	changed := mount != s.mount || mount != "" && !at.same(s.at)
	s.seen, s.at, s.mount = true, at, mount
	if changed && s.record != "" {
		s.unrecorded = writeRecord(s.record, mountRecord{s.path, mount, at.dev, at.ino})
	}
}

// same reports whether two places are one directory, wherever it is mounted.
func (p place) same(q place) bool { return p.ino != 0 && p.dev == q.dev && p.ino == q.ino }
