package ftpclient

import (
	"testing"
	"time"

	"ferry/remote"
)

func TestParseFacts(t *testing.T) {
	when := time.Date(2026, 11, 22, 13, 1, 2, 0, time.UTC)
	for line, want := range map[string]remote.Entry{
		"type=file;size=5;modify=20261122130102; f":                        {Name: "f", Size: 5, ModTime: when},
		"Type=File;Size=5;Modify=20261122130102.5;UNIX.mode=0644;  a b ;c": {Name: " a b ;c", Size: 5, ModTime: when.Add(time.Second / 2)},
		"type=dir;sizd=4096;modify=20261122130102;perm=el; d":              {Name: "d", Dir: true, ModTime: when},
		"type=file; f": {Name: "f", Size: -1},
	} {
		if got, ok := parseFacts(line); !ok || got != want {
			t.Errorf("%q is %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "type=file;", "type=cdir; .", "type=pdir; ..", "type=OS.unix=slink:/x; l", "size=5; f", "type=file; "} {
		if got, ok := parseFacts(line); ok {
			t.Errorf("%q is %+v", line, got)
		}
	}
}

func TestParseList(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	at := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, time.UTC) }
	for line, want := range map[string]remote.Entry{
		"-rw-r--r--    1 0        0               5 Mar 09 13:01 f":      {Name: "f", Size: 5, ModTime: at(2026, 3, 9, 13, 1)},
		"-rw-r--r--+   1 bob bob    5 Nov  2 13:01  a  b ":               {Name: " a  b ", Size: 5, ModTime: at(2025, 11, 2, 13, 1)},
		"-rw-r--r--    1 0        0      4294967296 Jan 31  2019 f -> g": {Name: "f -> g", Size: 1 << 32, ModTime: at(2019, 1, 31, 0, 0)},
		"drwxr-xr-x    2 0        0            4096 Mar 11 01:00 d":      {Name: "d", Dir: true, ModTime: at(2026, 3, 11, 1, 0)},
		"11-22-25  01:01PM       <DIR>          a dir":                   {Name: "a dir", Dir: true, ModTime: at(2025, 11, 22, 13, 1)},
		"11-22-25  01:01PM                 1234 a file.txt":              {Name: "a file.txt", Size: 1234, ModTime: at(2025, 11, 22, 13, 1)},
		"2025-11-22  13:01                    0 empty":                   {Name: "empty", ModTime: at(2025, 11, 22, 13, 1)},
	} {
		if got, ok := parseList(line, now); !ok || got != want {
			t.Errorf("%q is %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{
		"", "total 12", "-rw-r--r--", "lrwxrwxrwx 1 0 0 5 Mar 09 13:01 l -> f", "crw-r--r-- 1 0 0 1, 3 Mar 09 13:01 null",
		"-rw-r--r-- 1 0 0 x Mar 09 13:01 f", "-rw-r--r-- 1 0 0 5 Foo 09 13:01 f", "-rw-r--r-- 1 0 0 5 Mar 09 13:01", "11-22-25 01:01PM x f",
	} {
		if got, ok := parseList(line, now); ok {
			t.Errorf("%q is %+v", line, got)
		}
	}
}

func TestPartNames(t *testing.T) {
	for _, held := range []string{"f", ".hidden", string(make([]byte, 255))} {
		a, b := partName(held), partName(held)
		if a == b || !isPart(a) || len(a) > maxName {
			t.Errorf("%q and %q", a, b)
		}
	}
	for _, name := range []string{"f", ".ferry-put.", ".ferry-put.0123456x.f", ".ferry-put.01234567.", ".ferry-put.01234567f"} {
		if isPart(name) {
			t.Errorf("%q is taken for a part", name)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("type=file;size=5;modify=20261122130102; f")
	f.Add("-rw-r--r--    1 0        0               5 Mar 09 13:01 f")
	f.Add("11-22-25  01:01PM       <DIR>          a dir")
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		if e, ok := parseFacts(line); ok && (e.Name == "" || e.Size < -1) {
			t.Errorf("%q is %+v", line, e)
		}
		if e, ok := parseList(line, now); ok && (e.Name == "" || e.Size < 0) {
			t.Errorf("%q is %+v", line, e)
		}
	})
}
