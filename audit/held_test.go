package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events"
)

// writes counts them.
type writes struct {
	*os.File
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.File.Write(p)
}

// counted returns a log of which the writes are counted.
func counted(t *testing.T, name string) (*Log, *writes) {
	t.Helper()
	l, err := OpenAudit(options(name), false, false)
	if err != nil {
		t.Fatal(err)
	}
	w := &writes{File: l.file.out.(*os.File)}
	l.file.out = w
	return l, w
}

// tell records an event of each kind.
func tell(t *testing.T, l *Log, kinds ...events.Kind) {
	t.Helper()
	for _, k := range kinds {
		e := by(events.Event{Kind: k, Path: "/in/a"})
		if err := l.Record(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
	}
}

// wantEvents wants these in the file, in this order.
func wantEvents(t *testing.T, name string, kinds ...events.Kind) {
	t.Helper()
	text := readFile(t, name)
	lines := strings.SplitAfter(text, "\n")
	if len(lines)-1 != len(kinds) || lines[len(lines)-1] != "" {
		t.Fatalf("%d events are to be in\n%s", len(kinds), text)
	}
	for i, k := range kinds {
		if !strings.Contains(lines[i], `"event":"`+k.String()+`"`) {
			t.Errorf("line %d is not of %s: %s", i, k, lines[i])
		}
	}
}

// What no client is told of goes by the write of the next line, in order.
func TestLinesThatNobodyWaitsForAreHeld(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, w := counted(t, name)
	defer l.Close()
	tell(t, l, events.Disconnect, events.Connect)
	wantEvents(t, name)
	stored := by(events.Event{Kind: events.UploadStored, Path: "/in/a", More: true})
	l.Record(t.Context(), &stored)
	wantEvents(t, name)
	tell(t, l, events.UploadReceived)
	wantEvents(t, name, events.Disconnect, events.Connect, events.UploadStored, events.UploadReceived)
	if w.n != 1 {
		t.Errorf("%d writes", w.n)
	}
	for _, k := range []events.Kind{events.Login, events.List, events.Download, events.UploadStored, events.Delete, events.Stop} {
		before := w.n
		tell(t, l, k)
		if w.n != before+1 {
			t.Errorf("%s is held", k)
		}
	}
}

// They are held no longer than a second, no more than some, and not beyond the life of the file.
func TestHeldLinesAreWritten(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	synctest.Test(t, func(t *testing.T) {
		l, w := counted(t, name)
		for i := range 3 {
			tell(t, l, events.Connect, events.Disconnect)
			time.Sleep(holdTime)
			synctest.Wait()
			if w.n != i+1 {
				t.Errorf("%d writes in second %d", w.n, i+1)
			}
		}
		wantEvents(t, name, events.Connect, events.Disconnect, events.Connect, events.Disconnect, events.Connect, events.Disconnect)
		for w.n == 3 && len(l.held.lines) <= maxHeld {
			tell(t, l, events.Connect)
		}
		if w.n != 4 {
			t.Errorf("%d bytes are held", len(l.held.lines))
		}
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
		tell(t, l, events.Connect)
		if err := os.Rename(name, name+".1"); err != nil {
			t.Fatal(err)
		}
		if err := l.Reopen(); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, name+".1", events.Connect)
		tell(t, l, events.Disconnect)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, name, events.Disconnect)
	})
}

// A chain, and a file that is moved away by its size or age, have each line at once.
func TestLinesThatCannotBeHeld(t *testing.T) {
	rotated := options(filepath.Join(t.TempDir(), "log"))
	rotated.Rotation.Size = 1 << 20
	for _, chained := range []bool{true, false} {
		o := rotated
		if chained {
			o = options(filepath.Join(t.TempDir(), "log"))
		}
		l, err := OpenAudit(o, false, chained)
		if err != nil {
			t.Fatal(err)
		}
		tell(t, l, events.Connect)
		wantEvents(t, o.Name, events.Connect)
		l.Close()
	}
}

// The disk becomes full at any byte of three lines that are written together, and has room again:
// each line is there whole, or counted as lost.
func TestTheRestOfHeldLines(t *testing.T) {
	for room := 1; room < 900; room++ {
		name := filepath.Join(t.TempDir(), "log")
		l, err := OpenAudit(options(name), false, false)
		if err != nil {
			t.Fatal(err)
		}
		d := &disk{l.file.out.(*os.File), room}
		l.file.out = d
		l.file.said = time.Now() // so that what is lost is not told and forgotten
		tell(t, l, events.Connect, events.Disconnect, events.Login)
		d.room = 1 << 20
		lost := l.file.lost
		tell(t, l, events.Login)
		l.Close()
		text := readFile(t, name)
		if n := strings.Count(text, "\n"); n != 4-lost || strings.Count(text, "{") != n || strings.Count(text, "}\n") != n {
			t.Fatalf("room for %d bytes, %d lines are lost:\n%s", room, lost, text)
		}
	}
}
