package audit

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// sayEvery is how often it is said at most that a file cannot be written.
const sayEvery = time.Minute

// A file takes whole lines. Its Log locks it.
type file struct {
	o     Options
	out   io.WriteCloser
	rotor *lumberjack.Logger // out, where this process rotates; else nil

	// Of a line that is in the file in part. The rest goes before the next line, so that each
	// begins where a line begins.
	rest  []byte
	begun int // bytes of it that are there

	size   int64
	period time.Time // of Rotation.Age that the last line is of
	keep   time.Time // it is not rotated before that

	lost int       // lines, not told of yet
	said time.Time // when it was said last that lines are lost
	told bool      // and it has not been said since that they are written
}

// openFile opens the file, or makes it.
func openFile(o Options) (*file, error) {
	f := &file{o: o}
	out, err := f.openOut()
	if err != nil {
		return nil, err
	}
	f.out = out
	return f, nil
}

// openOut opens the file at its end, and looks at what is in it.
func (f *file) openOut() (io.WriteCloser, error) {
	out, err := os.OpenFile(f.o.Name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, f.o.Mode)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.o.What, err)
	}
	info, err := out.Stat()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("%s: %w", f.o.What, err)
	}
	f.size, f.period, f.keep = 0, f.o.Rotation.periodOf(info.ModTime()), time.Time{}
	if !info.Mode().IsRegular() {
		return out, nil
	}
	f.size = info.Size()
	if torn, err := endsTorn(f.o.Name, f.size); err != nil {
		out.Close()
		return nil, fmt.Errorf("%s: %w", f.o.What, err)
	} else if torn {
		f.rest = append(f.rest, '\n')
	}
	if !f.o.Rotation.isOn() {
		return out, nil
	}
	out.Close() // the rotor opens it again
	if f.rotor == nil {
		f.rotor = &lumberjack.Logger{Filename: f.o.Name, MaxSize: math.MaxInt32, MaxBackups: f.o.Rotation.Keep}
	}
	return f.rotor, nil
}

// endsTorn reports whether the last of size bytes does not end a line: its process was killed, or
// the disk was full.
func endsTorn(name string, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	in, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer in.Close()
	last := make([]byte, 1)
	if _, err := in.ReadAt(last, size-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// add writes lines with their ends, by one write, and reports whether the last is there or will be:
// the rest of one that is there in part comes with the next.
func (f *file) add(lines []byte) bool {
	f.rotateIfDue(len(lines))
	data := lines
	if len(f.rest) > 0 {
		data = append(f.rest, lines...)
	}
	n, err := f.out.Write(data)
	f.size += int64(n)
	if n < len(data) {
		return f.addedPart(lines, n, err)
	}
	f.rest, f.begun = f.rest[:0], 0
	f.works()
	return true
}

// addedPart is the end of add where only n bytes, of the rest and of lines, were written.
func (f *file) addedPart(lines []byte, n int, err error) bool {
	owed := len(f.rest)
	there := max(n-owed, 0)
	begins := bytes.LastIndexByte(lines[:there], '\n') + 1 // the line that is there in part, or not at all
	if begins == there {
		f.lost += bytes.Count(lines[there:], lineEnd)
		f.owe(min(n, owed))
		f.fails(err)
		return false
	}
	ends := there + bytes.IndexByte(lines[there:], '\n') + 1
	f.begun = there - begins
	f.rest = append(f.rest[:0], lines[there:ends]...)
	f.lost += bytes.Count(lines[ends:], lineEnd)
	f.fails(err)
	return ends == len(lines)
}

var lineEnd = []byte("\n")

// fails says that a line could not be written, if that was not said just before.
func (f *file) fails(err error) {
	now := time.Now()
	if !f.said.IsZero() && now.Sub(f.said) < sayEvery {
		return
	}
	f.said, f.told = now, true
	f.o.Log.Error("the file of "+f.o.What+" cannot be written: its lines are lost until it can; make room on its disk, or mend what the error says",
		"file", f.o.Name, "lost", f.lost, "error", err)
	f.lost = 0
}

// works says that a line was written, if it was said before that lines are lost.
func (f *file) works() {
	if !f.told && f.lost == 0 {
		return
	}
	now := time.Now()
	if !f.told && now.Sub(f.said) < sayEvery {
		return
	}
	f.o.Log.Warn("the file of "+f.o.What+" is written again", "file", f.o.Name, "lost", f.lost)
	f.said, f.told, f.lost = now, false, 0
}

// reopen opens the file of the name. Where the rest of a line does not get into the old one, it
// returns how much of the line did.
func (f *file) reopen() (torn int, err error) {
	f.finish()
	rest, begun := f.rest, f.begun
	f.rest, f.begun = nil, 0
	old := f.out
	next, err := f.openOut()
	if err != nil {
		f.rest, f.begun = rest, begun
		return 0, err
	}
	f.out = next
	old.Close()
	if begun > 0 {
		f.lost++
	}
	return begun, nil
}

// finish writes the rest of a line, or what it can of it.
func (f *file) finish() {
	if len(f.rest) == 0 {
		return
	}
	n, _ := f.out.Write(f.rest) // the loss has been said
	f.size += int64(n)
	f.owe(n)
}

// owe notes that n more bytes of the rest of a line are there.
func (f *file) owe(n int) {
	f.rest = append(f.rest[:0], f.rest[n:]...)
	if len(f.rest) == 0 {
		f.begun = 0
	} else if f.begun > 0 {
		f.begun += n
	}
}

func (f *file) close() error {
	f.finish()
	return f.out.Close()
}
