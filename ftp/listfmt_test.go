package ftp

import (
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listed is a FileInfo for the tests of listings.
type listed struct {
	name     string
	size     int64
	mode     fs.FileMode
	modTime  time.Time
	uid, gid uint32
	id       uint64
}

func (e listed) Name() string             { return e.name }
func (e listed) Size() int64              { return e.size }
func (e listed) Mode() fs.FileMode        { return e.mode }
func (e listed) ModTime() time.Time       { return e.modTime }
func (e listed) IsDir() bool              { return e.mode.IsDir() }
func (e listed) Sys() any                 { return nil }
func (e listed) Owner() (uid, gid uint32) { return e.uid, e.gid }
func (e listed) ID() uint64               { return e.id }

// plain is a FileInfo that knows neither an owner nor an identity.
type plain struct{ fs.FileInfo }

func TestAppendList(t *testing.T) {
	now := time.Date(2024, 7, 15, 12, 0, 0, 0, time.UTC)
	file := listed{name: "a b", size: 1234, mode: 0o644, modTime: now, uid: 1000, gid: 100}
	with := func(change func(*listed)) listed {
		e := file
		change(&e)
		return e
	}
	for _, tt := range []struct {
		what string
		fi   fs.FileInfo
		want string
	}{
		{"file", file, "-rw-r--r-- 1  1000   100         1234 Jul 15 12:00 a b\r\n"},
		{"no owner", plain{file}, "-rw-r--r-- 1     0     0         1234 Jul 15 12:00 a b\r\n"},
		{"directory", with(func(e *listed) { e.mode = fs.ModeDir | 0o751; e.name = "d" }),
			"drwxr-x--x 1  1000   100         1234 Jul 15 12:00 d\r\n"},
		{"mode bits that ls shows otherwise", with(func(e *listed) { e.mode = fs.ModeSymlink | fs.ModeSetuid | 0o777 }),
			"-rwxrwxrwx 1  1000   100         1234 Jul 15 12:00 a b\r\n"},
		{"unknown size", with(func(e *listed) { e.size = -1 }), "-rw-r--r-- 1  1000   100            0 Jul 15 12:00 a b\r\n"},
		{"largest numbers", with(func(e *listed) { e.size = 1<<63 - 1; e.uid, e.gid = 1<<32-1, 1<<32-2 }),
			"-rw-r--r-- 1 4294967295 4294967294 9223372036854775807 Jul 15 12:00 a b\r\n"},
		{"unknown time", with(func(e *listed) { e.modTime = time.Time{} }), "-rw-r--r-- 1  1000   100         1234 Jan  1  1970 a b\r\n"},
		{"unknown time of which one is shown", dated{with(func(e *listed) { e.modTime = time.Time{} })}, "-rw-r--r-- 1     0     0         1234 Jul 14 12:00 a b\r\n"},
		{"spaces at either end", with(func(e *listed) { e.name = " x " }), "-rw-r--r-- 1  1000   100         1234 Jul 15 12:00  x \r\n"},
		{"bytes that are not UTF-8", with(func(e *listed) { e.name = "\xff\\" }), "-rw-r--r-- 1  1000   100         1234 Jul 15 12:00 \xff\\\r\n"},
		{"line feed in the name", with(func(e *listed) { e.name = "a\nb" }), ""},
		{"carriage return in the name", with(func(e *listed) { e.name = "a\r" }), ""},
	} {
		if got := string(appendList(nil, tt.fi, now, time.UTC)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.what, got, tt.want)
		}
	}
}

// dated has a time for LIST.
type dated struct{ fs.FileInfo }

func (dated) ListTime() time.Time { return time.Date(2024, 7, 14, 12, 0, 0, 0, time.UTC) }

func TestListDate(t *testing.T) {
	now := time.Date(2024, 7, 15, 12, 0, 0, 0, time.UTC)
	east := time.FixedZone("east", 2*3600)
	for _, tt := range []struct {
		t    time.Time
		loc  *time.Location
		want string
	}{
		{now, time.UTC, "Jul 15 12:00"},
		{now.Add(-listRecent + time.Second), time.UTC, "Jan 15 12:00"},
		{now.Add(-listRecent), time.UTC, "Jan 15  2024"},
		{now.Add(listAhead), time.UTC, "Jul 15 13:00"},
		{now.Add(listAhead + time.Second), time.UTC, "Jul 15  2024"},
		{now.AddDate(1, 0, 0), time.UTC, "Jul 15  2025"},
		{time.Date(2024, 2, 3, 4, 5, 6, 7, time.UTC), time.UTC, "Feb  3 04:05"},
		{time.Date(2024, 6, 30, 23, 30, 0, 0, time.UTC), east, "Jul  1 01:30"},
		{time.Date(2022, 12, 31, 23, 30, 0, 0, time.UTC), east, "Jan  1  2023"},
		{time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC), time.UTC, "Feb  3  0001"},
		{time.Date(10000, 2, 3, 0, 0, 0, 0, time.UTC), time.UTC, "Jan  1  1970"},
		{time.Date(-1, 2, 3, 0, 0, 0, 0, time.UTC), time.UTC, "Jan  1  1970"},
		{time.Unix(0, 0), time.UTC, "Jan  1  1970"},
		{time.Time{}, time.FixedZone("west", -5*3600), "Jan  1  1970"},
	} {
		if got := string(appendListDate(nil, tt.t, now, tt.loc)); got != tt.want {
			t.Errorf("%v is listed as %q; want %q", tt.t, got, tt.want)
		}
	}
}

var listLine = regexp.MustCompile(
	`(?s)\A([d-])((?:[r-][w-][x-]){3}) 1 +(\d+) +(\d+) +(\d+) ([A-Z][a-z]{2}) ([ \d]\d) (?:(\d\d:\d\d)| (\d{4})) (.+)\r\n\z`)

// parseList reads a line of LIST as strictly as it is written. The time has the precision of the
// line.
func parseList(line string, now time.Time) (e listed, err error) {
	m := listLine.FindStringSubmatch(line)
	if m == nil {
		return e, fmt.Errorf("not a line of LIST: %q", line)
	}
	for i, letter := range m[2] {
		if letter != '-' {
			e.mode |= 1 << (8 - i)
		}
	}
	if m[1] == "d" {
		e.mode |= fs.ModeDir
	}
	uid, _ := strconv.ParseUint(m[3], 10, 32)
	gid, _ := strconv.ParseUint(m[4], 10, 32)
	e.uid, e.gid = uint32(uid), uint32(gid)
	if e.size, err = strconv.ParseInt(m[5], 10, 64); err != nil {
		return e, err
	}
	e.name = m[10]
	day := strings.TrimSpace(m[7])
	if m[9] != "" {
		e.modTime, err = time.Parse("Jan 2 2006", m[6]+" "+day+" "+m[9])
		return e, err
	}
	// A client takes the last such date before tomorrow.
	for year := now.Year() + 1; year >= now.Year()-1; year-- {
		e.modTime, err = time.Parse("Jan 2 15:04 2006", fmt.Sprintf("%s %s %s %d", m[6], day, m[8], year))
		if err == nil && e.modTime.Before(now.AddDate(0, 0, 1)) {
			return e, nil
		}
	}
	return e, fmt.Errorf("no year has the date of %q", line)
}

func FuzzList(f *testing.F) {
	f.Add("name", int64(1), uint32(0o644), int64(1700000000), int64(1700000001), uint32(1), uint32(2), false)
	f.Add(" a\\\xff ", int64(-1), uint32(0), int64(-62135596800), int64(951782400), uint32(1<<32-1), uint32(0), true)
	f.Fuzz(func(t *testing.T, name string, size int64, perm uint32, mod, clock int64, uid, gid uint32, isDir bool) {
		const year10000 = 253402300800
		now := time.Unix(clock%year10000, 0).UTC()
		e := listed{name, size, fs.FileMode(perm).Perm(), time.Unix(mod%year10000, 0).UTC(), uid, gid, 0}
		if isDir {
			e.mode |= fs.ModeDir
		}
		line := string(appendList(nil, e, now, time.UTC))
		if !showable(name) || name == "" {
			if line != "" && name != "" {
				t.Fatalf("%q is listed as %q", name, line)
			}
			return
		}
		got, err := parseList(line, now)
		if err != nil {
			t.Fatal(err)
		}
		if got.name != e.name || got.size != max(e.size, 0) || got.mode != e.mode || got.uid != uid || got.gid != gid {
			t.Fatalf("%+v is listed as %q", e, line)
		}
		written := e.modTime
		if written.IsZero() || written.Year() < 0 {
			written = time.Unix(0, 0)
		}
		if age := now.Sub(e.modTime); age >= listRecent || age < -listAhead {
			if !got.modTime.Equal(written.UTC().Truncate(24 * time.Hour)) {
				t.Fatalf("%v, seen at %v, is listed as %q", e.modTime, now, line)
			}
		} else if now.Year() < 9999 && !got.modTime.Equal(written.Truncate(time.Minute)) {
			t.Fatalf("%v, seen at %v, is listed as %q", e.modTime, now, line)
		}
	})
}

func BenchmarkAppendList(b *testing.B) {
	now := time.Date(2024, 7, 15, 12, 0, 0, 0, time.UTC)
	var fi fs.FileInfo = &listed{"some-file-name.jpg", 123456, 0o644, now.AddDate(0, -1, 0), 1000, 1000, 4711}
	line := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		line = appendList(line[:0], fi, now, time.UTC)
	}
}

func TestListAllocations(t *testing.T) {
	now := time.Date(2024, 7, 15, 12, 0, 0, 0, time.UTC)
	var fi fs.FileInfo = &listed{"name", 123456, 0o644, now, 1000, 1000, 4711}
	line := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { line = appendList(line[:0], fi, now, time.UTC) }); n != 0 {
		t.Errorf("a line of LIST costs %v allocations; want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		line = appendFacts(line[:0], factsAll, fi, entryPath{"dir", "name"}, "name", PermAll, kindEntry)
	}); n != 0 {
		t.Errorf("a line of MLSD costs %v allocations; want 0", n)
	}
}
