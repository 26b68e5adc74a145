package ftp

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOptsMLST(t *testing.T) {
	for _, tt := range []struct{ arg, want string }{
		{"type;size;", "type;size;"},
		{"TYPE;Modify;unix.MODE;", "type;modify;UNIX.mode;"},
		{"modify;type", "type;modify;"},
		{"size;lang;nonsense;", "size;"},
		{"", ""},
		{"nonsense", ""},
		{"type size", ""},
		{"type;size;modify;perm;unique;UNIX.mode;UNIX.uid;UNIX.gid;", facts(factsAll).String()},
	} {
		if got := parseOptsMLST(tt.arg).String(); got != tt.want {
			t.Errorf("OPTS MLST %s selects %q; want %q", tt.arg, got, tt.want)
		}
	}
}

func TestFeatMLST(t *testing.T) {
	for _, tt := range []struct {
		set  facts
		want string
	}{
		{factsDefault, "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;UNIX.uid;UNIX.gid;"},
		{factType | factUnixGID, "MLST type*;size;modify;perm;unique;UNIX.mode;UNIX.uid;UNIX.gid*;"},
		{0, "MLST type;size;modify;perm;unique;UNIX.mode;UNIX.uid;UNIX.gid;"},
	} {
		if got := featMLST(tt.set); got != tt.want {
			t.Errorf("featMLST(%v) = %s; want %s", tt.set, got, tt.want)
		}
	}
}

func TestAppendFacts(t *testing.T) {
	when := time.Date(2024, 1, 2, 3, 4, 5, 678e6, time.UTC)
	file := listed{"name", 1234, 0o640, when, 1000, 100, 0xabc}
	dir := listed{"dir", 4096, fs.ModeDir | 0o755, when, 0, 0, 0xdef}
	for _, tt := range []struct {
		what string
		set  facts
		fi   fs.FileInfo
		name string
		perm Perm
		kind entryKind
		want string
	}{
		{"file", factsAll, file, "name", PermAll, kindEntry, "type=file;size=1234;modify=20240102030405.678;perm=rwadf;" +
			"unique=abc;UNIX.mode=0640;UNIX.uid=1000;UNIX.gid=100; name"},
		{"directory", factsAll, dir, "dir", PermAll, kindEntry, "type=dir;modify=20240102030405.678;perm=elcmpdf;" +
			"unique=def;UNIX.mode=0755;UNIX.uid=0;UNIX.gid=0; dir"},
		{"nothing known", factsAll, plain{listed{name: "x", size: -1}}, "x", 0, kindEntry,
			"type=file;perm=;unique=paf63f54c86021707;UNIX.mode=0000; x"},
		{"nothing wanted", 0, file, "/dir/name", PermAll, kindEntry, " /dir/name"},
		{"the directory itself", factType | factPerm, dir, ".", PermRead | PermEnter, kindSelf, "type=cdir;perm=el; ."},
		{"the one above", factType | factPerm, dir, "..", PermRead | PermEnter | PermCreate | PermMkdir, kindParent, "type=pdir;perm=elcm; .."},
		{"enter but not list", factPerm, dir, "in", PermEnter | PermCreate, kindEntry, "perm=ec; in"},
		{"list but not enter", factPerm, dir, "in", PermRead | PermMkdir, kindEntry, "perm=lm; in"},
		{"replace but not append", factPerm, file, "name", PermWrite, kindEntry, "perm=w; name"},
		{"append but not replace", factPerm, file, "name", PermAppend, kindEntry, "perm=a; name"},
		{"read-only file", factPerm, file, "name", PermRead, kindEntry, "perm=r; name"},
		{"name with spaces", factSize, file, " a ", 0, kindEntry, "size=1234;  a "},
		{"empty file", factSize, listed{name: "x"}, "x", 0, kindEntry, "size=0; x"},
		{"time that cannot be written", factModify, listed{modTime: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "x", 0, kindEntry, " x"},
		{"line end in the name", factsAll, file, "a\r\nb", PermAll, kindEntry, ""},
	} {
		got := string(appendFacts(nil, tt.set, tt.fi, entryPath{".", tt.name}, tt.name, tt.perm, tt.kind))
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.what, got, tt.want)
		}
	}
}

// The unique fact is the same exactly for the same path, whichever way it is put together.
func TestUniqueWithoutIdentity(t *testing.T) {
	unique := func(p entryPath) string { return string(appendUnique(nil, plain{listed{}}, p)) }
	same := []entryPath{{"a/b", "c"}, {"a", "b/c"}, {"", "a/b/c"}, {".", "a/b/c"}}
	for _, p := range same {
		if unique(p) != unique(same[0]) {
			t.Errorf("%+v is %s, but %+v is %s", p, unique(p), same[0], unique(same[0]))
		}
	}
	for _, p := range []entryPath{{"a", "c"}, {"a/b", "d"}, {".", "c"}, {"", "."}} {
		if unique(p) == unique(same[0]) {
			t.Errorf("%+v and %+v are both %s", p, same[0], unique(p))
		}
	}
	known := string(appendUnique(nil, listed{id: 1<<64 - 1}, same[0]))
	if known != "unique=ffffffffffffffff;" {
		t.Errorf("the identity is written as %s", known)
	}
}

// parseFacts reads an entry of MLSD as strictly as it is written.
func parseFacts(line string) (e listed, given map[string]string, err error) {
	given = make(map[string]string)
	list, name, found := strings.Cut(line, " ")
	if !found {
		return e, nil, fmt.Errorf("no space in %q", line)
	}
	e.name = name
	for list != "" {
		fact, rest, ended := strings.Cut(list, ";")
		key, value, isFact := strings.Cut(fact, "=")
		if !ended || !isFact || given[key] != "" {
			return e, nil, fmt.Errorf("bad fact in %q", line)
		}
		given[key], list = value, rest
	}
	if given["type"] == "dir" {
		e.mode = fs.ModeDir
	}
	if s, ok := given["UNIX.mode"]; ok {
		perm, err := strconv.ParseUint(s, 8, 9)
		if err != nil {
			return e, nil, err
		}
		e.mode |= fs.FileMode(perm)
	}
	if s, ok := given["size"]; ok {
		if e.size, err = strconv.ParseInt(s, 10, 64); err != nil {
			return e, nil, err
		}
	}
	if s, ok := given["modify"]; ok {
		if e.modTime, err = parseTime(s); err != nil {
			return e, nil, err
		}
	}
	if s, ok := given["unique"]; ok && !strings.HasPrefix(s, "p") {
		if e.id, err = strconv.ParseUint(s, 16, 64); err != nil {
			return e, nil, err
		}
	}
	return e, given, nil
}

func FuzzFacts(f *testing.F) {
	f.Add("name", int64(1), uint32(0o644), int64(1700000000), int64(678e6), uint64(7), uint8(255), uint8(63), false)
	f.Add(" a;b=c; \xff", int64(-1), uint32(0), int64(-62135596800), int64(0), uint64(0), uint8(31), uint8(0), true)
	f.Fuzz(func(t *testing.T, name string, size int64, perm uint32, mod, nanos int64, id uint64, set, may uint8, isDir bool) {
		e := listed{name, size, fs.FileMode(perm).Perm(), time.Unix(mod, nanos).UTC(), 0, 0, id}
		if isDir {
			e.mode |= fs.ModeDir
		}
		line := string(appendFacts(nil, facts(set), e, entryPath{"dir", name}, name, Perm(may), kindEntry))
		if !showable(name) {
			if line != "" {
				t.Fatalf("%q is listed as %q", name, line)
			}
			return
		}
		got, given, err := parseFacts(line)
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range factNames {
			if _, isGiven := given[key]; isGiven && set&(1<<i) == 0 {
				t.Fatalf("%s was not asked for: %q", key, line)
			}
		}
		wanted := facts(set)
		switch {
		case got.name != name,
			wanted&factType != 0 && got.IsDir() != isDir,
			wanted&factUnixMode != 0 && got.mode.Perm() != e.mode.Perm(),
			wanted&factSize != 0 && !isDir && size >= 0 && (got.size != size || given["size"] == ""),
			wanted&factModify != 0 && hasTimeval(e.modTime) && !got.modTime.Equal(e.modTime.Truncate(time.Millisecond)),
			wanted&factUnique != 0 && (got.id != id || given["unique"] == ""):
			t.Fatalf("%+v is listed as %q", e, line)
		}
	})
}

func BenchmarkAppendFacts(b *testing.B) {
	when := time.Date(2024, 7, 15, 12, 0, 0, 0, time.UTC)
	var fi fs.FileInfo = &listed{"some-file-name.jpg", 123456, 0o644, when, 1000, 1000, 4711}
	line := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		line = appendFacts(line[:0], factsDefault, fi, entryPath{"dir", fi.Name()}, fi.Name(), PermAll, kindEntry)
	}
}
