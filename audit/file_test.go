package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events"
)

// A disk takes so many bytes, and then no more.
type disk struct {
	*os.File
	room int
}

func (d *disk) Write(p []byte) (int, error) {
	n, err := d.File.Write(p[:min(len(p), d.room)])
	if d.room -= n; err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

// listTo records n times that a directory was listed.
func listTo(l *Log, n int) {
	for range n {
		e := by(events.Event{Kind: events.List, Path: "/"})
		e.Time = time.Now()
		l.Record(context.Background(), &e)
	}
}

func openChained(t *testing.T, name string) *Log {
	t.Helper()
	l, err := OpenAudit(options(name), false, true)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// verify wants a chain of so many whole lines.
func verify(t *testing.T, lines, torn int, names ...string) Report {
	t.Helper()
	r, err := Verify(names, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) > 0 || r.Lines != lines || r.Torn != torn {
		t.Errorf("%+v, want %d lines and %d torn ones", r, lines, torn)
	}
	return r
}

// A disk becomes full at any byte of two lines, and has room again: every line that had begun is
// whole, and the chain knows nothing of what was lost.
func TestTheRestOfALineFollows(t *testing.T) {
	for room := 1; room < 600; room++ {
		name := filepath.Join(t.TempDir(), "log")
		l := openChained(t, name)
		d := &disk{l.file.out.(*os.File), room}
		l.file.out = d
		listTo(l, 4)
		begun := strings.Count(readFile(t, name), "{")
		d.room = 1 << 20
		listTo(l, 2)
		l.Close()
		verify(t, begun+2, 0, name)
	}
}

// The same, but the file is moved away before there is room, or the process is killed.
func TestALineThatStaysTorn(t *testing.T) {
	for room := 1; room < 600; room++ {
		for _, killed := range []bool{true, false} {
			dir := t.TempDir()
			name, old := filepath.Join(dir, "log"), filepath.Join(dir, "log.1")
			l := openChained(t, name)
			l.file.out = &disk{l.file.out.(*os.File), room}
			listTo(l, 4)
			text := readFile(t, name)
			whole := strings.Count(text, "}")
			torn := strings.Count(text, "{") - whole
			files := []string{name}
			if killed {
				l.file.out.Close()
				l = openChained(t, name)
			} else {
				files = []string{old, name}
				if err := os.Rename(name, old); err != nil {
					t.Fatal(err)
				}
				if err := l.Reopen(); err != nil {
					t.Fatal(err)
				}
			}
			listTo(l, 2)
			l.Close()
			verify(t, whole+2, torn, files...)
		}
	}
}

// The device is always full. That stops nobody, is said at once, then once a minute, and again when
// lines are written.
func TestAFullDiskIsSaid(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		o := options("/dev/full")
		o.Log = slog.New(slog.NewJSONHandler(&said, nil))
		l, err := OpenAudit(o, false, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 150 { // one each second, for two minutes and a half
			e := by(events.Event{Kind: events.List, Path: "/"})
			if err := l.Record(t.Context(), &e); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		full := l.file.out
		defer full.Close()
		l.file.out = out
		listTo(l, 3)
		var lost []int
		for line := range strings.Lines(said.String()) {
			var m struct {
				Level, Msg, Error string
				Lost              int
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			if m.Level == "ERROR" != strings.Contains(m.Error, "no space left") || !strings.Contains(m.Msg, "--audit-log") {
				t.Errorf("it says %s", line)
			}
			lost = append(lost, m.Lost)
		}
		if want := []int{1, 60, 60, 29}; !slices.Equal(lost, want) {
			t.Errorf("lost are %v, not %v: %s", lost, want, &said)
		}
	})
	if lines := strings.Count(readFile(t, out.Name()), "\n"); lines != 3 {
		t.Errorf("then there are %d lines", lines)
	}
}

// A disk that is full at every second line does not fill the log.
func TestADiskThatIsFullNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		o := options(filepath.Join(t.TempDir(), "log"))
		o.Log = slog.New(slog.NewTextHandler(&said, nil))
		l, err := OpenAudit(o, false, false)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		d := &disk{File: l.file.out.(*os.File)}
		l.file.out = d
		for i := range 1000 {
			d.room = i % 2 * 1000
			listTo(l, 1)
		}
		time.Sleep(time.Minute)
		d.room = 1000
		listTo(l, 1)
		if n := strings.Count(said.String(), "\n"); n != 3 || !strings.Contains(said.String(), "lost=499") {
			t.Errorf("it says\n%s", &said)
		}
	})
}

// SIGHUP comes while sessions write; each line is in the old file or the new one.
func TestReopenWhileLinesAreWritten(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	l := openChained(t, name)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { listTo(l, 500) })
	}
	names := []string{name}
	for i := range 5 {
		old := fmt.Sprintf("%s.%d", name, i)
		if err := os.Rename(name, old); err != nil {
			t.Fatal(err)
		}
		names = append(names, old)
		if err := l.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	l.Close()
	lines := 0
	for _, name := range names {
		text := readFile(t, name)
		lines += strings.Count(text, "\n")
		if text != "" && !strings.HasSuffix(text, "}\n") {
			t.Errorf("%s ends in the middle of a line", name)
		}
	}
	if lines != 2000 {
		t.Errorf("there are %d lines of 2000", lines)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new file is %v, %v", info, err)
	}
}

// Where the new file cannot be opened the old one stays.
func TestReopenFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	l := openChained(t, name)
	defer l.Close()
	listTo(l, 1)
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil || !strings.Contains(err.Error(), "--audit-log") {
		t.Errorf("a directory was opened: %v", err)
	}
	listTo(l, 1)
	verify(t, 2, 0, name+".1")
}

// files returns what is in the directory of a log, without the log itself.
func files(t *testing.T, name string) (older []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(n string) bool { return n == name })
}

func TestRotationBySize(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "audit.log"))
	o.Rotation = Rotation{Size: 64 << 10}
	for range 3 { // three processes, one after the other
		l, err := OpenAudit(o, false, true)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			listTo(l, 200)
			time.Sleep(apart + time.Millisecond) // names of files have the millisecond
		}
		l.Close()
	}
	older := files(t, o.Name)
	if len(older) < 20 {
		t.Errorf("there are %d older files: %v", len(older), older)
	}
	for _, name := range append(older, o.Name) {
		if info, err := os.Stat(name); err != nil || info.Size() > o.Rotation.Size || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if r := verify(t, 6000, 0, append([]string{o.Name}, older...)...); !r.Begins {
		t.Errorf("the beginning is not there: %+v", r)
	}
}

// Files are kept by their number; lumberjack removes the others in a goroutine of its own.
func TestRotationKeeps(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "audit.log"))
	o.Rotation = Rotation{Size: 1000, Keep: 2}
	l, err := OpenAudit(o, false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for n, begun := 0, time.Now(); n < 50 || len(files(t, o.Name)) != 2; n++ {
		listTo(l, 10)
		time.Sleep(apart)
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("there are %v", files(t, o.Name))
		}
	}
}

func TestRotationByAge(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "audit.log"))
	o.Rotation = Rotation{Age: 24 * time.Hour}
	l, err := OpenAudit(o, false, false)
	if err != nil {
		t.Fatal(err)
	}
	listTo(l, 2)
	if older := files(t, o.Name); len(older) != 0 {
		t.Errorf("a new file was moved away: %v", older)
	}
	l.Close()
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(o.Name, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if l, err = OpenAudit(o, false, false); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	listTo(l, 3)
	older := files(t, o.Name)
	if len(older) != 1 || strings.Count(readFile(t, older[0]), "\n") != 2 || strings.Count(readFile(t, o.Name), "\n") != 3 {
		t.Errorf("after a day there are %v", older)
	}
	l.file.period = l.file.period.Add(-24 * time.Hour) // as if it were tomorrow
	time.Sleep(apart + time.Millisecond)
	listTo(l, 1)
	if older := files(t, o.Name); len(older) != 2 {
		t.Errorf("after another day there are %v", older)
	}
}

// A directory in which nothing can be renamed costs no line.
func TestRotationFails(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may rename everything")
	}
	dir := t.TempDir()
	o := options(filepath.Join(dir, "audit.log"))
	o.Rotation = Rotation{Size: 1000}
	var said bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&said, nil))
	l, err := OpenAudit(o, false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	listTo(l, 100)
	if n := strings.Count(readFile(t, o.Name), "\n"); n != 100 || strings.Count(said.String(), "cannot be moved away") != 1 {
		t.Errorf("%d lines, and it says %s", n, &said)
	}
}

// What cannot be opened is an error that names the flag.
func TestOpenFails(t *testing.T) {
	for _, chained := range []bool{true, false} {
		_, err := OpenAudit(options(filepath.Join(t.TempDir(), "none", "log")), false, chained)
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "--audit-log") {
			t.Errorf("the error is %v", err)
		}
	}
}
