package access_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/serve/access"
	"ferry/vfs"
)

// rule is ParseRule for rules that are right.
func rule(path, words string) access.Rule {
	r, err := access.ParseRule(path, strings.Fields(words))
	if err != nil {
		panic(err)
	}
	return r
}

// newTree returns a tree with directories, whose names end with a slash, and files.
func newTree(t testing.TB, o vfs.Options, entries ...string) *vfs.View {
	t.Helper()
	v := vfs.New(memory.New(), o).View("u")
	for _, e := range entries {
		put(v, strings.TrimSuffix(e, "/"), strings.HasSuffix(e, "/"))
		if _, err := v.Stat(t.Context(), strings.TrimSuffix(e, "/")); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// Each verb, by the commands that need it.
func TestVerbs(t *testing.T) {
	const (
		missing = "550 No such file or directory."
		cannot  = "550 You may not "
	)
	tests := []struct{ name, words, script string }{
		{"nothing", "", `
			GET NLST > 550 You may not list
			GET RETR f > ` + missing + `
			GET RETR none > ` + missing + `
			MLST f > ` + missing + `
			SIZE f > ` + missing + `
			MDTM f > ` + missing + `
			CWD d > ` + missing + `
			CWD none > ` + missing + `
			HASH f > ` + missing + `
			XMD5 f > ` + missing + `
			DELE f > ` + missing + `
			RMD d > ` + missing + `
			RNFR f > ` + missing + `
			MFMT 20200101000000 f > ` + missing + `
			SITE CHMOD 600 f > ` + missing + `
			SITE UTIME 20200101000000 f > ` + missing + `
			MDTM 20200101000000 f > ` + missing + `
			STAT f > ` + missing + `
			AVBL d > ` + missing + `
			SEND STOR new > ` + cannot + `upload
			SEND STOU > ` + cannot + `upload
			MKD new > ` + cannot + `make`},
		{"list", "list", `
			GET NLST > 226 d f
			GET NLST *f > 226 f
			MLST f > 250 Facts:
			CWD d > 250
			CWD / > 250
			GET RETR f > ` + cannot + `download
			HASH f > ` + cannot + `download
			XCRC f > ` + cannot + `download
			SEND STOR f > ` + cannot + `upload
			SEND APPE f > ` + cannot + `upload
			DELE f > ` + cannot + `delete
			RMD d > ` + cannot + `remove`},
		{"download", "download", `
			GET NLST > 550 You may not list
			GET NLST f* > 550 You may not list
			STAT d > 550 You may not list this directory.
			GET RETR f > 226 text
			SIZE f > 213 4
			HASH f > 213`},
		{"upload", "upload", `
			SEND STOR new > 226
			SEND STOR f > 550 That name cannot be used here
			SEND APPE f > 550 That name cannot be used here
			SEND APPE other > 226
			SIZE new > ` + missing + `
			GET RETR new > ` + missing + `
			CWD d > 250
			SEND STOU > 226
			MKD d/new > ` + cannot + `make`},
		{"upload and list", "upload list", `
			SEND STOR f > ` + cannot + `replace
			SEND APPE f > ` + cannot + `continue
			RNFR f > 350
			RNTO g > ` + cannot + `rename`},
		{"overwrite", "overwrite", `
			SEND STOR new > ` + cannot + `upload
			SEND STOR f > 226
			SEND APPE f > ` + cannot + `upload`},
		{"resume", "resume", `
			SEND STOR f > ` + cannot + `upload
			SEND APPE f > 226
			SIZE f > 213 8
			REST 4 > 350
			SEND STOR f > 226
			SIZE f > 213 8`},
		{"delete", "delete", `
			DELE f > 250
			RMD d > ` + cannot + `remove`},
		{"rename", "rename upload", `
			RNFR f > 350
			RNTO g > 250
			RNFR g > 350
			RNTO d/f > 250
			RNFR d > 350
			RNTO e > ` + cannot + `make
			SEND STOR h > 226
			RNFR d/f > 350
			RNTO h > ` + cannot + `replace`},
		{"rename onto", "rename upload overwrite mkdir", `
			SEND STOR g > 226
			RNFR f > 350
			RNTO g > 250
			RNFR d > 350
			RNTO e > 250`},
		{"mkdir and rmdir", "mkdir rmdir", `
			MKD new > 257
			RMD new > 250
			MKD f > 550 That name cannot be used here
			DELE f > ` + missing},
		{"mtime", "mtime", `
			MFMT 20200101000000 f > 213
			MDTM f > 213 20200101000000
			MFMT 20200101000000 d > 213
			SITE CHMOD 600 f > ` + cannot + `change`},
		{"chmod", "chmod", `
			SITE CHMOD 600 f > 200
			SITE CHMOD 700 d > 200
			MFMT 20200101000000 f > ` + cannot + `set`},
		{"append-only", "append-only", `
			SEND STOR new > 226
			SEND STOR new > ` + cannot + `replace
			SEND APPE new > ` + cannot + `continue
			DELE new > ` + cannot + `delete
			RNFR new > 350
			RNTO g > ` + cannot + `rename
			MKD e > 257
			RMD e > ` + cannot + `remove
			GET RETR new > 226 text`},
		{"drop-box", "drop-box", `
			GET NLST > 226 
			SEND STOR new > 226
			GET NLST > 226 new
			SIZE new > 213 4
			GET RETR new > ` + cannot + `download
			MLST f > ` + missing + `
			SIZE f > ` + missing + `
			GET RETR f > ` + missing + `
			DELE new > ` + cannot + `delete
			SEND STOR f > 550 That name cannot be used here
			CWD d > 250
			SEND STOR own > 226
			GET NLST > 226 own
			CWD / > 250
			GET NLST > 226 d new
			MKD e > 257
			GET NLST > 226 d e new`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := newTree(t, vfs.Options{}, "f", "d/")
			c := dial(t, access.New(tree, access.Policy{Rules: []access.Rule{rule("/", test.words)}}))
			c.script(test.script)
		})
	}
}

// Paths, by the commands that meet two rules.
func TestRules(t *testing.T) {
	rules := []access.Rule{
		rule("/", "list"), rule("/in", "read-write"), rule("/out", "read-only"), rule("/drop", "upload rename list"),
		rule("/secret", ""), rule("/deep", ""), rule("/deep/way/in", "all"), rule("/in/keep", "read-only"), rule("/ro.txt", "list download"),
	}
	tree := newTree(t, vfs.Options{}, "in/", "in/f", "in/d/", "in/d/g", "in/keep/", "in/keep/k", "in/x/", "in/x/keep/", "out/", "out/o", "drop/",
		"drop/p", "secret/", "secret/s", "deep/", "deep/way/", "deep/way/in/", "deep/file", "ro.txt", "other.txt")
	c := dial(t, access.New(tree, access.Policy{Rules: rules}))
	c.script(`
		GET NLST > 226 deep drop in other.txt out ro.txt
		GET NLST deep > 226 deep/way
		GET NLST deep/way > 226 deep/way/in
		SEND STOR deep/way/in/new > 226
		CWD secret > 550 No such file or directory.
		GET NLST secret > 550 No such file or directory.
		GET RETR secret/s > 550 No such file or directory.
		GET RETR deep/file > 550 No such file or directory.
		DELE secret > 550 No such file or directory.
		SEND STOR secret > 550 You may not upload
		MKD secret > 550 You may not make
		MKD secret/new > 550 No such file or directory.
		RNFR in/f > 350
		RNTO secret/f > 550 No such file or directory.
		GET RETR ro.txt > 226 text
		GET RETR other.txt > 550 You may not download
		RMD in/keep > 550 Directory not empty.
		RMD in > 550 You may not remove
		RNFR in > 350
		RNTO on > 550 You may not rename
		RNFR in/keep > 350
		RNTO in/kept > 550 Other permissions hold
		RNFR in/d > 350
		RNTO in/keep/d > 550 You may not upload
		RNFR in/d > 350
		RNTO in/e > 250
		RNFR in/f > 350
		RNTO out/f > 550 You may not upload
		RNFR drop/p > 350
		RNTO in/p > 550 You may not download from there
		RNFR in/f > 350
		RNTO drop/f > 250
		RNFR drop/f > 350
		RNTO drop/p > 550 You may not replace
		RNFR out/o > 350
		RNTO in/o > 550 You may not rename`)
}

func TestPatterns(t *testing.T) {
	p := access.Policy{Patterns: []access.Pattern{
		{Path: "/", Deny: []string{"*.exe", ".*"}, Hide: true},
		{Path: "/csv", Allow: []string{"*.csv"}, Deny: []string{"old*"}},
	}}
	tree := newTree(t, vfs.Options{}, "a.EXE", "b", ".ssh/", ".ssh/key", "csv/", "csv/a.CSV", "csv/b.txt", "csv/old.csv", "csv/sub/", "csv/sub/c.csv", "csv/Old/",
		"csv/Old/d.csv")
	c := dial(t, access.New(tree, p))
	c.script(`
		GET NLST > 226 b csv
		GET RETR a.EXE > 550 No such file or directory.
		CWD .ssh > 550 No such file or directory.
		GET RETR .ssh/key > 550 No such file or directory.
		SEND STOR .ssh/new > 550 No such file or directory.
		SEND STOR new.Exe > 550 That name cannot be used here
		MKD .git > 550 That name cannot be used here
		SEND STOR csv/new.exe > 550 Names like this one are not allowed
		SEND STOR csv/new.csv > 226
		GET NLST csv > 226 csv/Old csv/a.CSV csv/b.txt csv/new.csv csv/old.csv csv/sub
		GET RETR csv/a.CSV > 226
		GET RETR csv/b.txt > 550 You may not download
		DELE csv/old.csv > 550 You may not delete
		GET NLST csv/Old > 550 You may not list
		GET RETR csv/Old/d.csv > 550 No such file or directory.
		RNFR b > 350
		RNTO csv/b > 550 Names like this one are not allowed
		RNFR csv/new.csv > 350
		RNTO csv/new.csv.exe > 550 Names like this one are not allowed
		RNFR csv/new.csv > 350
		RNTO new.csv > 250
		RNFR csv/sub > 350
		RNTO sub > 550 Other permissions hold
		RNFR csv/sub > 350
		RNTO csv/sub2 > 250`)
}

// The size of a file is limited at each of its beginnings.
func TestMaxFileSize(t *testing.T) {
	tree := newTree(t, vfs.Options{}, "f")
	c := dial(t, access.New(tree, access.Policy{MaxFileSize: 10}))
	send := func(command string, n int, want int) {
		t.Helper()
		if code, text, _ := c.transfer(command, bytes.Repeat([]byte("x"), n)); code != want {
			t.Errorf("%d bytes by %s: %d %s; want %d", n, command, code, text, want)
		}
	}
	send("STOR a", 10, 226)
	send("STOR f", 11, 552)
	send("STOR f", 1<<20, 552)
	c.script("GET RETR f > 226 text")
	send("APPE f", 6, 226)
	send("APPE f", 0, 226)
	send("APPE f", 1, 552)
	c.script("REST 10 > 350")
	send("STOR f", 1, 552)
	c.script("REST 11 > 350")
	send("STOR f", 1, 552)
	c.script(`
		SIZE f > 213 10
		ALLO 11 > 552
		ALLO 10 > 200
		AVBL > 213 10`)
}

// Bytes need not be copied: what a tree returns stays what it is.
func TestZeroCopy(t *testing.T) {
	dir := t.TempDir()
	for _, p := range []access.Policy{
		{Rules: []access.Rule{rule("/", "all")}, MaxFileSize: 10},
		{Rules: []access.Rule{rule("/", "append-only")}},
		{Rules: []access.Rule{rule("/", "drop-box")}},
		{Patterns: []access.Pattern{{Path: "/", Deny: []string{"x"}}}},
	} {
		f := access.New(ftp.DirFS(dir), p)
		up, err := f.Create(t.Context(), "new", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, able := up.(io.ReaderFrom); !able {
			t.Errorf("the upload is a %T", up)
		}
		up.Abort()
		if err := os.WriteFile(dir+"/f", []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := f.Open(t.Context(), "f", 0)
		if err != nil && len(p.Rules) > 0 && p.Rules[0].OwnOnly {
			continue // nothing can be read from a drop-box
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, is := r.(*os.File); !is {
			t.Errorf("the reader is a %T", r)
		}
		r.Close()
	}
}

// ReadFrom keeps a limited connection visible: an io.LimitedReader of the source itself arrives.
func TestReadFromPassesTheSourceOn(t *testing.T) {
	sink := &sink{}
	f := access.New(sinkFS{ftp.DirFS(t.TempDir()), sink}, access.Policy{MaxFileSize: 10})
	up, err := f.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	src := strings.NewReader("0123456789ab")
	n, err := up.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: src, N: 4})
	if n != 4 || err != nil || sink.source != io.Reader(src) {
		t.Errorf("%d, %v, from a %T", n, err, sink.source)
	}
	n, err = up.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: src, N: 100})
	if n != 6 || !errors.Is(err, ftp.ErrQuota) || sink.source != io.Reader(src) {
		t.Errorf("%d, %v, from a %T", n, err, sink.source)
	}
	if sink.String() != "0123456789" {
		t.Errorf("%q arrived", sink.String())
	}
}

type sinkFS struct {
	ftp.FS
	sink *sink
}

func (f sinkFS) Create(context.Context, string, int64) (ftp.Upload, error) { return f.sink, nil }

type sink struct {
	bytes.Buffer
	source io.Reader
}

func (s *sink) ReadFrom(r io.Reader) (int64, error) {
	s.source = r.(*io.LimitedReader).R
	return s.Buffer.ReadFrom(r)
}

func (s *sink) Commit(context.Context) error { return nil }
func (s *sink) Abort()                       {}

// Who may not replace files does not replace one that came while the upload was under way.
func TestANewFileIsNewAtItsEnd(t *testing.T) {
	tree := newTree(t, vfs.Options{})
	f := access.New(tree, access.Policy{Rules: []access.Rule{rule("/", "append-only")}})
	up, err := f.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Abort()
	if _, err := io.WriteString(up, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := store(tree, "f", 0); err != nil {
		t.Fatal(err)
	}
	if err := up.Commit(t.Context()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the file was replaced: %v", err)
	}
}

// An unfinished upload is as a new file: who may upload goes on with it.
func TestParts(t *testing.T) {
	tree := newTree(t, vfs.Options{})
	f := access.New(tree, access.Policy{Rules: []access.Rule{rule("/", "append-only"), rule("/drop", "drop-box")}})
	put(tree, "drop", true)
	for _, name := range []string{"f", "drop/f"} {
		if err := cut(f, name); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t, f)
	c.script(`
		GET NLST drop > 226 drop/f
		SIZE drop/f > 213 2
		REST 2 > 350
		SEND STOR drop/f > 226
		SIZE drop/f > 213 6
		MLST f > 250 Facts:
		SIZE f > 213 2
		GET RETR f > 550 Incomplete upload
		DELE f > 550 You may not delete
		RNFR f > 350
		RNTO g > 550 Incomplete upload
		SEND APPE f > 226
		SIZE f > 213 6
		SEND APPE f > 550 You may not continue`)
}

// Where the storage finds a name in any case, a rule is not passed by.
func TestCaseDoesNotPassARule(t *testing.T) {
	p := access.Policy{
		Rules:    []access.Rule{rule("/", "all"), rule("/Secret", ""), rule("/drop", "drop-box")},
		Patterns: []access.Pattern{{Path: "/Csv", Allow: []string{"*.csv"}}},
	}
	tree := newTree(t, vfs.Options{FoldCase: true}, "Secret/", "Secret/s", "Csv/", "drop/")
	c := dial(t, access.New(tree, p))
	c.script(`
		GET RETR secret/s > 550 No such file
		GET NLST SECRET > 550 No such file
		SEND STOR csv/x.txt > 550 Names like this
		SEND STOR DROP/mine > 226
		GET NLST drop > 226 drop/mine
		SIZE Drop/MINE > 213 4`)
}

// bucketFS makes the directories that an upload implies, as object stores do.
type bucketFS struct{ *vfs.View }

func (b bucketFS) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	for i, c := range name {
		if c == '/' {
			put(b.View, name[:i], true)
		}
	}
	return b.View.Create(ctx, name, off)
}

func (b bucketFS) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return ftp.Forward{FS: struct{ ftp.FS }{b}}.CreateNew(ctx, name, off, alone)
}

func (b bucketFS) Mkdir(ctx context.Context, dir string) error {
	for i, c := range dir {
		if c == '/' {
			put(b.View, dir[:i], true)
		}
	}
	return b.View.Mkdir(ctx, dir)
}

func TestImpliedDirectories(t *testing.T) {
	p := access.Policy{Rules: []access.Rule{rule("/", "list upload"), rule("/in/new", "all"), rule("/*/x", "all"), rule("/a", "all")}}
	c := dial(t, access.New(bucketFS{newTree(t, vfs.Options{}, "there/")}, p))
	c.script(`
		SEND STOR there/f > 226
		SEND STOR none/f > 550 No such file
		SEND STOR none/x/f > 550 No such file
		MKD none/x/d > 550 No such file
		SEND STOR in/new/f > 226
		SEND STOR in/new/d/e/f > 226
		SEND STOR a/b/c > 226
		SEND STOR there/x/f > 550 No such file
		GET NLST > 226 a in there`)
}

func TestNoPolicyIsNoDecorator(t *testing.T) {
	tree := newTree(t, vfs.Options{})
	if f := access.New(tree, access.Policy{}); f != ftp.FS(tree) {
		t.Errorf("%T", f)
	}
}
