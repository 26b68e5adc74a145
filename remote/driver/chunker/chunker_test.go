package chunker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/chunker"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

func over(t *testing.T, below remote.Remote, o chunker.Options) *chunker.Remote {
	t.Helper()
	r, err := chunker.New(below, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestItIsARemote(t *testing.T) {
	for _, size := range []int64{70_001, 1 << 20} {
		t.Run(fmt.Sprint("memory, chunks of ", size), func(t *testing.T) {
			t.Parallel()
			remotetest.Run(t, func(t *testing.T) remote.Remote {
				return over(t, memory.New(), chunker.Options{ChunkSize: size, Marked: size > 100_000})
			})
		})
	}
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		remotetest.Run(t, func(t *testing.T) remote.Remote {
			disk, err := local.New(t.TempDir(), local.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return over(t, disk, chunker.Options{ChunkSize: 50_000, HashType: "sha1", NameFormat: "big_*-##.part", StartFrom: new(0)})
		})
	})
}

func names(t *testing.T, r remote.Remote) (all []string) {
	t.Helper()
	for e, err := range r.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(e.Name, " ", e.Size))
	}
	slices.Sort(all)
	return all
}

func read(t *testing.T, r remote.Remote, name string, off, n int64) (string, error) {
	t.Helper()
	body, err := r.Open(t.Context(), name, off, n)
	if err != nil {
		return "", err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return string(b), err
}

func put(t *testing.T, r remote.Remote, name, content string, o remote.PutOptions) remote.Entry {
	t.Helper()
	e, err := r.Put(t.Context(), name, strings.NewReader(content), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stored are files of rclone 1.76 with chunk_size = 5b, the one called new with transactions =
// norename and hash_type = sha1, and some that are beside them.
var stored = map[string]string{
	"new":                          `{"ver":2,"size":15,"nchunks":3,"sha1":"2938dcc2e3aa77987c7e5d4a0f26966706d06782","txn":"ax477h"}`,
	"new.rclone_chunk.001_ax477h":  "abcde",
	"new.rclone_chunk.002_ax477h":  "fghij",
	"new.rclone_chunk.003_ax477h":  "klmno",
	"old":                          `{"ver":1,"size":12,"nchunks":3,"md5":"6f5902ac237024bdd0c176cb93063dc4"}`,
	"old.rclone_chunk.001":         "hello",
	"old.rclone_chunk.002":         " worl",
	"old.rclone_chunk.003":         "d\n",
	"new.rclone_chunk.001_0000001": "other",
	"old.rclone_chunk._info":       "control",
	"small":                        "file",
	"likerecord":                   `{"ver":1,"size":12}`,
}

func TestFilesOfRclone(t *testing.T) {
	m := memory.New()
	for name, content := range stored {
		put(t, m, name, content, remote.PutOptions{})
	}
	r := over(t, m, chunker.Options{})
	if got := strings.Join(names(t, r), "|"); got != "likerecord 19|new 15|old 12|small 4" {
		t.Errorf("listed: %s", got)
	}
	for name, want := range map[string]string{"old": "hello world\n", "new": "abcdefghijklmno", "small": "file", "likerecord": stored["likerecord"]} {
		e, err := r.Stat(t.Context(), name)
		if err != nil || e.Size != int64(len(want)) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		for off := range len(want) + 2 {
			for n := -1; n < len(want)+2; n++ {
				end := len(want)
				if n >= 0 {
					end = min(end, off+n)
				}
				if got, err := read(t, r, name, int64(off), int64(n)); err != nil || got != want[min(off, len(want)):max(end, min(off, len(want)))] {
					t.Fatalf("%s from %d, %d bytes: %q, %v", name, off, n, got, err)
				}
			}
		}
	}
	if sum, err := remote.Hash(t.Context(), r, "old", "md5"); err != nil || fmt.Sprintf("%x", sum) != "6f5902ac237024bdd0c176cb93063dc4" {
		t.Errorf("MD5 %x, %v", sum, err)
	}
	for _, hidden := range []string{"old.rclone_chunk.001", "new.rclone_chunk.002_ax477h", "old.rclone_chunk._info"} {
		if _, err := r.Stat(t.Context(), hidden); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: %v", hidden, err)
		}
		if _, err := r.Put(t.Context(), hidden, strings.NewReader("x"), remote.PutOptions{}); !errors.Is(err, remote.ErrBadName) {
			t.Errorf("%s can be stored: %v", hidden, err)
		}
	}
	for _, name := range []string{"old", "new"} {
		if err := r.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(names(t, m), "|"); got != "likerecord 19|new.rclone_chunk.001_0000001 5|old.rclone_chunk._info 7|small 4" {
		t.Errorf("below are %s", got)
	}
}

func TestFilesWithoutRecords(t *testing.T) {
	m := memory.New()
	for _, name := range []string{"old.rclone_chunk.001", "old.rclone_chunk.002", "old.rclone_chunk.003", "small"} {
		put(t, m, name, stored[name], remote.PutOptions{})
	}
	put(t, m, "lost.rclone_chunk.002", "x", remote.PutOptions{})
	r := over(t, m, chunker.Options{NoRecords: true})
	var omitted []string
	ctx := remote.WithOmitted(t.Context(), func(entry, reason string) { omitted = append(omitted, entry) })
	var all []string
	for e, err := range r.List(ctx, ".") {
		all = append(all, fmt.Sprint(e.Name, e.Size, " ", err))
	}
	slices.Sort(all)
	if fmt.Sprint(all, omitted) != "[old12 <nil> small4 <nil>] [lost]" {
		t.Errorf("listed: %s, omitted %s", all, omitted)
	}
	if got, err := read(t, r, "old", 3, 5); got != "lo wo" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := r.Put(t.Context(), "new", strings.NewReader("x"), remote.PutOptions{}); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("a file can be stored: %v", err)
	}
}

// A content that would be taken for a record is stored as a chunk.
func TestAFileLikeARecordComesBack(t *testing.T) {
	m := memory.New()
	r := over(t, m, chunker.Options{})
	put(t, r, "f", stored["old"], remote.PutOptions{})
	if got, err := read(t, r, "f", 0, -1); got != stored["old"] || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if all := names(t, m); len(all) != 2 {
		t.Errorf("below are %s", all)
	}
}

func TestADamagedFileIsNotShorter(t *testing.T) {
	for _, damage := range []func(m remote.Remote) error{
		func(m remote.Remote) error { return m.Remove(context.Background(), "old.rclone_chunk.002") },
		func(m remote.Remote) error { return m.Remove(context.Background(), "old.rclone_chunk.001") },
		func(m remote.Remote) error {
			_, err := m.Put(context.Background(), "old.rclone_chunk.002", strings.NewReader(" w"), remote.PutOptions{})
			return err
		},
		func(m remote.Remote) error {
			_, err := m.Put(context.Background(), "old.rclone_chunk.003", strings.NewReader(""), remote.PutOptions{})
			return err
		},
	} {
		m := memory.New()
		for name, content := range stored {
			put(t, m, name, content, remote.PutOptions{})
		}
		if err := damage(m); err != nil {
			t.Fatal(err)
		}
		r := over(t, m, chunker.Options{})
		if got, err := read(t, r, "old", 0, -1); err == nil || errors.Is(err, remote.ErrNotExist) || !remote.Permanent(err) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// Whatever fails while a file is replaced, the file is there, as it was or as it should be, and
// nothing is left that is not found again.
func TestAnOverwriteThatFailsLeavesTheOldFile(t *testing.T) {
	for _, old := range []string{"", "old content of some length", "old"} {
		for step := 1; ; step++ {
			m := memory.New()
			r := over(t, m, chunker.Options{ChunkSize: 5})
			if old != "" {
				put(t, r, "f", old, remote.PutOptions{})
			}
			bad := faulty.New(m)
			bad.Inject(faulty.Fault{Op: "put", Skip: step - 1, Err: errors.New("broken"), Times: -1})
			_, err := over(t, bad, chunker.Options{ChunkSize: 5}).Put(t.Context(), "f", strings.NewReader("new content"), remote.PutOptions{})
			got, readErr := read(t, r, "f", 0, -1)
			if err == nil {
				if got != "new content" {
					t.Errorf("stored, and it is %q, %v", got, readErr)
				}
				break
			}
			if got != old || (old == "") != errors.Is(readErr, remote.ErrNotExist) {
				t.Errorf("%q became %q, %v", old, got, readErr)
			}
			if want := len(names(t, memoryWith(t, old))); len(names(t, m)) != want {
				t.Errorf("left below: %s", names(t, m))
			}
		}
	}
}

// A record that was sent and not answered may arrive later: its chunks must be there then.
func TestARecordInDoubtKeepsItsChunks(t *testing.T) {
	bad := faulty.New(memory.New())
	r := over(t, bad, chunker.Options{ChunkSize: 5})
	put(t, r, "f", "old content", remote.PutOptions{})
	bad.Inject(faulty.Fault{Op: "put", Name: "f", Delayed: true, Until: time.Hour})
	told := false
	ctx, cancel := context.WithCancel(remote.WithUnanswered(t.Context(), func() { told = true }))
	cancel()
	_, err := r.Put(ctx, "f", strings.NewReader("new content"), remote.PutOptions{})
	if err == nil {
		t.Error("it is stored")
	}
	_, err = r.Put(remote.WithUnanswered(t.Context(), func() { told = true }), "f", strings.NewReader("new content"), remote.PutOptions{})
	if err == nil || !told {
		t.Errorf("error %v, in doubt: %v", err, told)
	}
	if got, err := read(t, r, "f", 0, -1); got != "old content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	bad.Deliver()
	if got, err := read(t, r, "f", 0, -1); got != "new content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// The names without a mark are for contents that nothing can be mistaken for: not while others
// read, nor after a change of them that was not answered.
func TestTheMarkStaysWhereItMust(t *testing.T) {
	marked := func(m remote.Remote) bool {
		return strings.Contains(strings.Join(names(t, m), " "), ".001_")
	}
	store := func(r remote.Remote, content string) { put(t, r, "f", content, remote.PutOptions{}) }
	m := memory.New()
	bad := faulty.New(m)
	r := over(t, bad, chunker.Options{ChunkSize: 5})
	store(r, "first content")
	if marked(m) {
		t.Errorf("left: %s", names(t, m))
	}
	body, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	store(r, "second content")
	if got, err := io.ReadAll(body); string(got) != "first content" || err != nil || !marked(m) {
		t.Errorf("read %q, %v; there are %s", got, err, names(t, m))
	}
	body.Close()
	if got, err := read(t, r, "f", 0, -1); got != "second content" || err != nil || len(names(t, m)) != 4 {
		t.Errorf("read %q, %v; there are %s", got, err, names(t, m))
	}
	store(r, "third content")
	if marked(m) {
		t.Errorf("left: %s", names(t, m))
	}
	bad.Inject(faulty.Fault{Op: "remove", Delayed: true, Until: time.Hour})
	store(r, "fourth content")
	store(r, "fifth content")
	if !marked(m) {
		t.Errorf("there are %s", names(t, m))
	}
	bad.Deliver()
	if got, err := read(t, r, "f", 0, -1); got != "fifth content" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func memoryWith(t *testing.T, content string) remote.Remote {
	m := memory.New()
	if content != "" {
		put(t, over(t, m, chunker.Options{ChunkSize: 5}), "f", content, remote.PutOptions{})
	}
	return m
}

func TestWhatAKilledUploadLeavesIsFound(t *testing.T) {
	dir := t.TempDir()
	disk, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := over(t, disk, chunker.Options{ChunkSize: 5})
	if err := r.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	put(t, r, "d/f", "content of some length", remote.PutOptions{})
	left := filepath.Join(dir, "d", "f.rclone_chunk.001_killed")
	if err := os.WriteFile(left, []byte("part"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := func() (tokens []string) {
		for u, err := range r.UnfinishedUploads(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			if u.Name == "d/f" && u.Size == 4 {
				tokens = append(tokens, u.Token)
			}
		}
		return tokens
	}
	tokens := found()
	if len(tokens) != 1 {
		t.Fatalf("found: %s", tokens)
	}
	if err := r.AbortUpload(t.Context(), tokens[0]); err != nil || len(found()) != 0 {
		t.Errorf("%v, and there are %s", err, found())
	}
	if err := r.AbortUpload(t.Context(), "chunk/d/f"); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("a token that was never issued: %v", err)
	}
	if err := r.Remove(t.Context(), "d/f"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("part"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Rmdir(t.Context(), "d"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("a fresh chunk is lost: %v", err)
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	keepPart(t, disk, "d/g")
	keepPart(t, disk, "d/h.rclone_chunk.001")
	for e, err := range r.List(t.Context(), "d") {
		t.Errorf("an upload that was made below is listed: %+v, %v", e, err)
	}
	if err := r.Rmdir(t.Context(), "d"); err != nil {
		t.Error(err)
	}
}

// keepPart leaves an unfinished upload.
func keepPart(t *testing.T, r remote.Remote, name string) {
	t.Helper()
	stager, _ := remote.AsStager(r)
	s, err := stager.Stage(t.Context(), name, remote.StageOptions{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "part"); err != nil {
		t.Error(err)
	}
	if err := s.Keep(); err != nil {
		t.Fatal(err)
	}
}

func TestRandomChangesKeepContents(t *testing.T) {
	for _, marked := range []bool{false, true} {
		t.Run(fmt.Sprint("marked: ", marked), func(t *testing.T) { randomChanges(t, marked) })
	}
}

func randomChanges(t *testing.T, marked bool) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := memory.New()
	r := over(t, m, chunker.Options{ChunkSize: 11, Marked: marked})
	want := map[string]string{}
	for range 2000 {
		a, b := fmt.Sprint(rng.IntN(5)), fmt.Sprint(rng.IntN(5))
		var err error
		switch _, there := want[a]; rng.IntN(4) {
		case 0, 1:
			content := strings.Repeat(fmt.Sprint(rng.IntN(10)), rng.IntN(40))
			put(t, r, a, content, remote.PutOptions{Size: int64(len(content) * rng.IntN(2))})
			want[a] = content
		case 2:
			if err = remote.Move(t.Context(), r, a, b); there && a != b {
				want[b] = want[a]
				delete(want, a)
			}
			if there != (err == nil) {
				t.Fatalf("move: %v", err)
			}
		default:
			if err = r.Remove(t.Context(), a); there != (err == nil) {
				t.Fatalf("remove: %v", err)
			}
			delete(want, a)
		}
	}
	var all []string
	for name, content := range want {
		if got, err := read(t, r, name, 0, -1); got != content || err != nil {
			t.Errorf("%s is %q, %v", name, got, err)
		}
		all = append(all, fmt.Sprint(name, " ", len(content)))
	}
	slices.Sort(all)
	if got := names(t, r); !slices.Equal(got, all) {
		t.Errorf("listed %s, want %s", got, all)
	}
	for u := range r.UnfinishedUploads(t.Context(), ".") {
		t.Errorf("left: %+v", u)
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	for _, o := range []chunker.Options{
		{NameFormat: "noasterisk.###"}, {NameFormat: "*.x"}, {NameFormat: "*-#-#"}, {NameFormat: "a/*.#"}, {NameFormat: "*#"}, {NameFormat: "**.#"},
		{StartFrom: new(-1)}, {ChunkSize: -1}, {HashType: "md4"},
	} {
		if _, err := chunker.New(memory.New(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, content := range stored {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		m := memory.New()
		if _, err := m.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		r := over(t, m, chunker.Options{})
		e, err := r.Stat(t.Context(), "f")
		if err == nil && e.Size < 0 {
			t.Errorf("size %d", e.Size)
		}
		if got, err := read(t, r, "f", 0, -1); err == nil && e.Size != int64(len(got)) {
			t.Errorf("%d bytes of %d", len(got), e.Size)
		}
	})
}

// An rclone that renames chunks knows no marks.
func TestMarksAreGoneWhenNobodyReads(t *testing.T) {
	m := memory.New()
	put(t, over(t, m, chunker.Options{ChunkSize: 5}), "f", "hello world\n", remote.PutOptions{})
	record := stored["old"] // of the same content
	if got, err := read(t, m, "f", 0, -1); got != record || err != nil {
		t.Errorf("the record is %s, %v, want %s", got, err, record)
	}
	plain := []string{fmt.Sprint("f ", len(record)), "f.rclone_chunk.001 5", "f.rclone_chunk.002 5", "f.rclone_chunk.003 2"}
	if got := names(t, m); !slices.Equal(got, plain) {
		t.Errorf("below is %q, want %q", got, plain)
	}
}
