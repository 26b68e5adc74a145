package ftp

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
		if got, what := parseFacts(line); what != isEntry || got != want {
			t.Errorf("%q is %+v, %v", line, got, what)
		}
	}
	for line, want := range map[string]reading{
		"": isUnknown, "type=file;": isUnknown, "size=5; f": isUnknown, "type=file; ": isUnknown,
		"type=cdir; .": isOther, "type=pdir; ..": isOther, "type=OS.unix=slink:/x; l": isOther,
	} {
		if got, what := parseFacts(line); what != want {
			t.Errorf("%q is %+v, %v", line, got, what)
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

func FuzzFacts(f *testing.F) {
	f.Add("type=file;size=5;modify=20261122130102; f")
	f.Fuzz(func(t *testing.T, line string) {
		if e, what := parseFacts(line); what == isEntry && (e.Name == "" || e.Size < -1) {
			t.Errorf("%q is %+v", line, e)
		}
	})
}
