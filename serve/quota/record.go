package quota

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// record is the file of one user: bytes and files as decimal numbers, in one line of constant
// length. One write replaces it, which the system does not tear; so it is whole after the process
// was killed. A second line says what this node has counted, where nodes count together; who counts
// alone leaves it as it is.
type record struct {
	path string
	file *os.File
}

const (
	recordSize = 48  // the length of the line
	tallySize  = 126 // of the second one
)

// A tally is the second line.
type tally struct {
	here  Usage // what was counted here
	told  Usage // of that, what other nodes know; they know more if an answer was lost
	total Usage // what the first line said then; another value is of a process that counted alone
	known bool  // there is such a line
}

func openRecord(path string, write bool) (*record, error) {
	flags := os.O_RDONLY
	if write {
		flags = os.O_RDWR | os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return &record{path, f}, nil
}

func (r *record) read() (Usage, error) {
	var line [recordSize]byte
	n, err := r.file.ReadAt(line[:], 0)
	if n == 0 {
		return Usage{}, nil // nothing was counted yet
	}
	fields := strings.Fields(string(line[:n]))
	if n < recordSize || len(fields) != 2 {
		return Usage{}, r.damaged(err)
	}
	var u Usage
	if u.Bytes, err = strconv.ParseInt(fields[0], 10, 64); err != nil {
		return Usage{}, r.damaged(err)
	}
	if u.Files, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
		return Usage{}, r.damaged(err)
	}
	return u, nil
}

func (r *record) damaged(err error) error {
	return fmt.Errorf("%s is damaged (%w): delete it, and count anew with ferry users usage --scan", r.path, err)
}

func (r *record) write(u Usage) error {
	_, err := r.file.WriteAt([]byte(lineOf(u)), 0)
	return err
}

// readTally returns the second line.
func (r *record) readTally() (c tally, err error) {
	var line [tallySize]byte
	n, err := r.file.ReadAt(line[:], recordSize)
	if n == 0 {
		return tally{}, nil
	}
	fields := strings.Fields(string(line[:n]))
	into := []*int64{&c.here.Bytes, &c.here.Files, &c.told.Bytes, &c.told.Files, &c.total.Bytes, &c.total.Files}
	if n < tallySize || len(fields) != len(into) {
		return tally{}, r.damaged(err)
	}
	for i, field := range fields {
		if *into[i], err = strconv.ParseInt(field, 10, 64); err != nil {
			return tally{}, r.damaged(err)
		}
	}
	c.known = true
	return c, nil
}

// writeTally writes both lines.
func (r *record) writeTally(u Usage, c tally) error {
	second := fmt.Sprintf("%20d %20d %20d %20d %20d %20d\n",
		c.here.Bytes, c.here.Files, c.told.Bytes, c.told.Files, c.total.Bytes, c.total.Files)
	_, err := r.file.WriteAt([]byte(lineOf(u)+second), 0)
	return err
}

func lineOf(u Usage) string { return fmt.Sprintf("%20d %20d      \n", u.Bytes, u.Files) }

// isCurrent reports whether the path still leads to the file.
func (r *record) isCurrent() bool {
	now, err := os.Stat(r.path)
	if err != nil {
		return false
	}
	mine, err := r.file.Stat()
	return err == nil && os.SameFile(now, mine)
}

func (r *record) close() error { return r.file.Close() }

// replaceRecord puts a new file in the place of a record, with another first line.
func replaceRecord(path string, u Usage) error {
	text := lineOf(u)
	if old, err := os.ReadFile(path); err == nil && len(old) > recordSize {
		text += string(old[recordSize:])
	}
	next := path + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
