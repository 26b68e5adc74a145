package audit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A sum is what a line says of all before it: the SHA-256 of the line before, without its end. The
// first line of all has the zero one.
type sum [sha256.Size]byte

func (s sum) String() string { return hex.EncodeToString(s[:]) }

// torn is the sum after a line that is there in part, and after something that is no line at all:
// it stands for the line before, too, as that is named nowhere else.
func (s sum) torn(line []byte) sum {
	return sha256.Sum256(append([]byte(s.String()+"\n"), line...))
}

// after is the sum after a line, which is whole or not.
func (s sum) after(line []byte, whole bool) sum {
	if !whole {
		return s.torn(line)
	}
	return sha256.Sum256(line)
}

// A stamp is what a line says of itself.
type stamp struct {
	Time time.Time `json:"time"`
	Prev *string   `json:"prev"`
}

// parse reads a line, and reports whether it is whole.
func parse(line []byte) (stamp, bool) {
	var s stamp
	err := json.Unmarshal(line, &s)
	return s, err == nil && !s.Time.IsZero()
}

// A chain is the sum of a log that is written.
type chain struct {
	last   sum    // of all lines
	before sum    // of all but the last line
	line   []byte // the last one
}

// appendTo adds the sum to a line, a JSON object.
func (c *chain) appendTo(line []byte) []byte {
	line = append(line[:len(line)-1], `,"prev":"`...)
	line = hex.AppendEncode(line, c.last[:])
	return append(line, `"}`...)
}

// follow takes the line as the last one.
func (c *chain) follow(line []byte) {
	c.before, c.last = c.last, sha256.Sum256(line)
	c.line = append(c.line[:0], line...)
}

// tear notes that of the last line only so many bytes are there; 0 is all of it.
func (c *chain) tear(begun int) {
	if begun > 0 && begun < len(c.line) {
		c.last = c.before.torn(c.line[:begun])
	}
}

// chainOf returns the chain that the file of a log has, or the one before it if it is empty.
func chainOf(name string) (*chain, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err == nil && !info.Mode().IsRegular():
		return &chain{}, nil
	case err == nil && info.Size() > 0:
		return endOf(name)
	}
	older, err := olderThan(name)
	if err != nil || older == "" {
		return &chain{}, err
	}
	return endOf(older)
}

// olderThan returns the file that was moved away last from the name: by this process, or by
// logrotate. "" is none.
func olderThan(name string) (string, error) {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return "", err
	}
	base := filepath.Base(name)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	var newest fs.FileInfo
	for _, e := range entries {
		if e.Name() == base || !strings.HasPrefix(e.Name(), stem+"-") && !strings.HasPrefix(e.Name(), base+".") && !strings.HasPrefix(e.Name(), base+"-") {
			continue
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 && (newest == nil || info.ModTime().After(newest.ModTime())) {
			newest = info
		}
	}
	if newest == nil {
		return "", nil
	}
	return filepath.Join(filepath.Dir(name), newest.Name()), nil
}

// tail is how much of the end of a file is looked through for its last whole line.
const tail = 1 << 20

// endOf reads the end of a file for its chain.
func endOf(name string) (*chain, error) {
	in, err := openLog(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if f, ok := in.(*os.File); ok {
		if _, err := f.Seek(-tail, io.SeekEnd); err != nil { // it is shorter
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
	}
	var end []byte
	for buf := make([]byte, 64<<10); err != io.EOF; {
		var n int
		if n, err = in.Read(buf); err != nil && err != io.EOF {
			return nil, err
		}
		if end = append(end, buf[:n]...); len(end) > 2*tail {
			end = append(end[:0], end[len(end)-tail:]...)
		}
	}
	lines := bytes.Split(bytes.TrimSuffix(end, []byte("\n")), []byte("\n"))
	whole := len(lines) - 1
	for ; whole > 0; whole-- {
		if _, ok := parse(lines[whole]); ok {
			break
		}
	}
	c := &chain{}
	for _, line := range lines[whole:] {
		_, ok := parse(line)
		c.last = c.last.after(line, ok)
	}
	return c, nil
}

// openLog opens a file, unpacked where it is packed.
func openLog(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil || !strings.HasSuffix(name, ".gz") {
		return f, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &packed{z, f}, nil
}

type packed struct {
	*gzip.Reader
	f *os.File
}

func (p *packed) Close() error { return errors.Join(p.Reader.Close(), p.f.Close()) }
