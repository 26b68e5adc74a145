package prehooks

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A spool is a directory with the uploads that are checked, and with what was cut off and may be
// continued.
type spool struct{ dir string }

// spoolAge is how old a file is that nobody uses any more: one of a process that was killed, or of
// an upload that was not continued.
const spoolAge = 24 * time.Hour

// Names of files.
const (
	underWay = "upload-" // and something unique
	keptAs   = "part-"   // and the hash of whose it is
)

// openSpool makes the directory, and removes what is too old in it.
func openSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &spool{dir}
	s.sweep()
	return s, nil
}

// sweep removes what is too old.
func (s *spool) sweep() {
	entries, _ := os.ReadDir(s.dir) // what cannot be listed cannot be removed
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), underWay) && !strings.HasPrefix(e.Name(), keptAs) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > spoolAge {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
}

// begin makes a file.
func (s *spool) begin() (*content, error) {
	f, err := os.CreateTemp(s.dir, underWay)
	if err != nil {
		return nil, err
	}
	return contentOf(f)
}

// contentOf opens the file of f once more, to read from it.
func contentOf(f *os.File) (*content, error) {
	r, err := os.Open(f.Name())
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &content{w: f, r: r}, nil
}

// part returns the name of what is kept for a user, by the name of the file.
func (s *spool) part(user, name string) string {
	sum := sha256.Sum256([]byte(user + "\x00" + name))
	return filepath.Join(s.dir, keptAs+hex.EncodeToString(sum[:]))
}

// resume returns the first off bytes of what was kept under a name, of which there are size. It is
// fs.ErrNotExist if that is not there.
func (s *spool) resume(part string, off, size int64) (*content, error) {
	name := filepath.Join(s.dir, underWay+"r"+filepath.Base(part)[len(keptAs):])
	if err := os.Rename(part, name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fs.ErrNotExist // it is another one
	}
	if err == nil {
		err = f.Truncate(off)
	}
	if err == nil {
		_, err = f.Seek(off, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	c, err := contentOf(f)
	if err == nil {
		c.size = off
	}
	return c, err
}

// A content is what has come of an upload, in a file.
type content struct {
	w, r *os.File // one file; r is at what was not read yet
	size int64
}

func (c *content) name() string { return c.w.Name() }

// remove ends c. It may be called again.
func (c *content) remove() {
	c.close()
	_ = os.Remove(c.w.Name()) // it is swept later
}

// keep ends c and keeps it under a name.
func (c *content) keep(part string) {
	c.close()
	if os.Rename(c.w.Name(), part) != nil {
		c.remove()
	}
}

func (c *content) close() {
	c.w.Close()
	c.r.Close()
}
