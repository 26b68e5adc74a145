package chunker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/chunker"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

const inOneChunk = 100_000

// stream stores a content whose length is not told before.
func stream(ctx context.Context, r remote.Remote, content string, o remote.PutOptions) (remote.Entry, error) {
	return r.Put(ctx, "f", struct{ io.Reader }{strings.NewReader(content)}, o)
}

// contents of one, two and three chunks; the first two begin to be sent before their end is seen.
var (
	oneChunk    = strings.Repeat("1", inOneChunk-7)
	twoChunks   = strings.Repeat("2", inOneChunk+1)
	threeChunks = strings.Repeat("3", 2*inOneChunk+1)
)

func TestAStreamThatFitsIntoAChunkIsAPlainFile(t *testing.T) {
	for _, size := range []int{0, 1, 5000, 64 << 10, 64<<10 + 1, inOneChunk - 1, inOneChunk, inOneChunk + 1} {
		m := memory.New()
		r := over(t, m, chunker.Options{ChunkSize: inOneChunk})
		when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
		content := strings.Repeat("x", size)
		e, err := stream(t.Context(), r, content, remote.PutOptions{ModTime: when})
		if err != nil || e.Name != "f" || e.Size != int64(size) || !e.ModTime.Equal(when) {
			t.Errorf("%d bytes: %+v, %v", size, e, err)
		}
		now, err := r.Stat(t.Context(), "f")
		if err != nil || now != e {
			t.Errorf("%d bytes: told %+v, there is %+v, %v", size, e, now, err)
		}
		if got, err := read(t, r, "f", 0, -1); got != content || err != nil {
			t.Errorf("%d bytes became %d, %v", size, len(got), err)
		}
		if got := names(t, m); size <= inOneChunk && !slices.Equal(got, []string{fmt.Sprint("f ", size)}) || size > inOneChunk && len(got) != 3 {
			t.Errorf("%d bytes are stored as %s", size, got)
		}
	}
}

// notRenaming are remotes below that a chunk cannot be renamed on.
type notRenaming struct {
	remote.Forward
	objects bool
}

func (n notRenaming) Info() remote.Info {
	info := n.Forward.Info()
	info.Caps.ImplicitDirs = n.objects
	return info
}

func (n notRenaming) Move(ctx context.Context, from, to string) error {
	if n.objects {
		return n.Forward.Move(ctx, from, to)
	}
	return remote.ErrUnsupported
}

// Where renaming is a copy, or is not there, a stream has a record, unless its end is seen at once.
func TestWhereNothingIsRenamed(t *testing.T) {
	for _, objects := range []bool{false, true} {
		m := memory.New()
		r := over(t, notRenaming{remote.Forward{Remote: m}, objects}, chunker.Options{ChunkSize: inOneChunk, Marked: true})
		for _, content := range []string{oneChunk, "short", oneChunk} {
			if _, err := stream(t.Context(), r, content, remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			if got, err := read(t, r, "f", 0, -1); got != content || err != nil {
				t.Errorf("%d bytes became %d, %v", len(content), len(got), err)
			}
			if got := names(t, m); len(got) != 1+min(len(content)/1000, 1) {
				t.Errorf("below is %s", got)
			}
		}
	}
}

func TestHashesOfAllFilesNeedRecords(t *testing.T) {
	m := memory.New()
	r := over(t, m, chunker.Options{ChunkSize: inOneChunk, HashType: "sha1all"})
	for _, content := range []string{"", "abc", oneChunk} {
		for _, size := range []int{0, len(content)} {
			put(t, r, "f", content, remote.PutOptions{Size: int64(size)})
			if got := names(t, m); len(got) != 1+min(len(content), 1) {
				t.Errorf("below is %s", got)
			}
			if got, err := read(t, r, "f", 0, -1); got != content || err != nil {
				t.Errorf("%d bytes became %d, %v", len(content), len(got), err)
			}
			if sum, err := remote.Hash(t.Context(), r, "f", "sha1"); content != "" && (err != nil || len(sum) != 20) {
				t.Errorf("SHA-1 %x, %v", sum, err)
			}
		}
	}
}

// before calls look ahead of every change below.
type before struct {
	remote.Forward
	look func()
}

func (b before) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	b.look()
	return b.Forward.Put(ctx, name, body, o)
}

func (b before) Remove(ctx context.Context, name string) error {
	b.look()
	return b.Forward.Remove(ctx, name)
}

func (b before) Move(ctx context.Context, from, to string) error {
	b.look()
	return b.Forward.Move(ctx, from, to)
}

// Whatever replaces whatever, there is one of both at every moment, and no chunk is left.
func TestPlainFilesAndFilesInChunksReplaceEachOther(t *testing.T) {
	all := []string{"", "short", oneChunk, twoChunks, threeChunks}
	for _, old := range all {
		for _, content := range all {
			m := memory.New()
			plain := over(t, m, chunker.Options{ChunkSize: inOneChunk})
			if _, err := stream(t.Context(), plain, old, remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			r := over(t, before{remote.Forward{Remote: m}, func() {
				if got, err := read(t, plain, "f", 0, -1); err != nil || got != old && got != content {
					t.Errorf("%d bytes, replaced by %d, are %d, %v", len(old), len(content), len(got), err)
				}
			}}, chunker.Options{ChunkSize: inOneChunk})
			if _, err := stream(t.Context(), r, content, remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			want := 1
			if len(content) > inOneChunk {
				want = 2 + (len(content)-1)/inOneChunk
			}
			if got := names(t, m); len(got) != want {
				t.Errorf("%d bytes, replaced by %d, left %s", len(old), len(content), got)
			}
			if err := plain.Remove(t.Context(), "f"); err != nil || len(names(t, m)) != 0 {
				t.Errorf("removing %d bytes left %s, %v", len(content), names(t, m), err)
			}
		}
	}
}

// A rename that fails is none. One whose answer was lost was made or will never be: what it would
// rename is taken away.
func TestARenameThatIsNotAnswered(t *testing.T) {
	for what, c := range map[string]struct {
		fault  faulty.Fault
		stored bool
	}{
		"refused":             {faulty.Fault{Err: errors.New("broken")}, false},
		"made, not answered":  {faulty.Fault{Late: true}, true},
		"lost":                {faulty.Fault{Lost: true}, false},
		"late":                {faulty.Fault{Delayed: true, Until: time.Hour}, false},
		"nothing was renamed": {faulty.Fault{Err: remote.ErrUnsupported}, true},
	} {
		for _, old := range []string{"", "short", oneChunk, twoChunks} {
			t.Run(fmt.Sprint(what, " over ", len(old)), func(t *testing.T) {
				replaceUnanswered(t, old, c.fault, c.stored)
			})
		}
	}
}

func replaceUnanswered(t *testing.T, old string, fault faulty.Fault, stored bool) {
	m := memory.New()
	bad := faulty.New(m)
	r := over(t, bad, chunker.Options{ChunkSize: inOneChunk})
	if old != "" {
		put(t, over(t, m, chunker.Options{ChunkSize: inOneChunk}), "f", old, remote.PutOptions{})
	}
	below := names(t, m)
	fault.Op = "move"
	bad.Inject(fault)
	told := false
	content := strings.Repeat("9", len(oneChunk)) // of the length of one that was there
	e, err := stream(remote.WithUnanswered(t.Context(), func() { told = true }), r, content, remote.PutOptions{})
	if (err == nil) != stored || told != (fault.Late || fault.Lost || fault.Delayed) {
		t.Errorf("stored %+v, %v; in doubt: %v", e, err, told)
	}
	if bad.Deliver() != 0 != fault.Delayed {
		t.Error("there was nothing to be late")
	}
	got, err := read(t, r, "f", 0, -1)
	switch {
	case stored && (got != content || err != nil || !fault.Late && len(names(t, m)) != 2 || fault.Late && len(names(t, m)) != 1):
		t.Errorf("there are %d bytes, %v; below %s", len(got), err, names(t, m))
	case !stored && (got != old || (old == "") != errors.Is(err, remote.ErrNotExist) || !slices.Equal(names(t, m), below)):
		t.Errorf("there are %d bytes, %v; below %s, want %s", len(got), err, names(t, m), below)
	}
	for u := range r.UnfinishedUploads(t.Context(), ".") {
		t.Errorf("left: %+v", u)
	}
}

// halfway is a remote below whose rename fails when it has removed what it was to replace.
type halfway struct{ remote.Forward }

var errHalfway = errors.New("failed halfway")

func (h halfway) Move(ctx context.Context, from, to string) error {
	return errors.Join(errHalfway, h.Remove(ctx, to))
}

// What is all that is left of a file is not removed.
func TestARenameThatLosesTheOldFile(t *testing.T) {
	m := memory.New()
	put(t, m, "f", "old", remote.PutOptions{})
	r := over(t, halfway{remote.Forward{Remote: m}}, chunker.Options{ChunkSize: inOneChunk})
	if _, err := stream(t.Context(), r, oneChunk, remote.PutOptions{}); !errors.Is(err, errHalfway) {
		t.Errorf("error %v", err)
	}
	if got := names(t, m); len(got) != 1 || !strings.HasPrefix(got[0], "f.rclone_chunk.001_") {
		t.Errorf("below is %s", got)
	}
}

// An upload that is cut after its first chunk is not there.
func TestAStreamThatIsCutLeavesNothing(t *testing.T) {
	m := memory.New()
	r := over(t, m, chunker.Options{ChunkSize: inOneChunk})
	for _, old := range []string{"", "old"} {
		if old != "" {
			put(t, r, "f", old, remote.PutOptions{})
		}
		below := names(t, m)
		for _, content := range []string{oneChunk, twoChunks} {
			cut := io.MultiReader(strings.NewReader(content), brokenReader{})
			if _, err := r.Put(t.Context(), "f", cut, remote.PutOptions{}); !errors.Is(err, errCut) {
				t.Errorf("error %v", err)
			}
			if got := names(t, m); !slices.Equal(got, below) {
				t.Errorf("left: %s, want %s", got, below)
			}
			if _, err := r.Put(t.Context(), "f", strings.NewReader(content), remote.PutOptions{Size: int64(len(content)) + 1}); !errors.Is(err, remote.ErrSize) {
				t.Errorf("error %v", err)
			}
			if got := names(t, m); !slices.Equal(got, below) {
				t.Errorf("left: %s, want %s", got, below)
			}
		}
	}
}

var errCut = errors.New("cut")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errCut }

func TestAFileThatIsReplacedKeepsItsMode(t *testing.T) {
	disk, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := over(t, disk, chunker.Options{ChunkSize: inOneChunk})
	for _, old := range []string{"old", twoChunks} {
		put(t, r, "f", old, remote.PutOptions{})
		before, err := r.Stat(t.Context(), "f")
		if err == nil && before.Mode != 0 {
			err = remote.SetMode(t.Context(), disk, "f", 0o600)
			before.Mode = 0o600
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := stream(t.Context(), r, oneChunk, remote.PutOptions{})
		if err != nil || e.Mode != before.Mode {
			t.Errorf("it has mode %v, %v, want %v", e.Mode, err, before.Mode)
		}
		if err := remote.SetMode(t.Context(), disk, "f", 0o400); err != nil && !errors.Is(err, remote.ErrUnsupported) {
			t.Fatal(err)
		}
		_, whole := disk.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}) // root may
		if _, err := stream(t.Context(), r, oneChunk, remote.PutOptions{}); errors.Is(err, fs.ErrPermission) != (whole != nil) {
			t.Errorf("a file that may not be written is replaced: %v, want %v", err, whole)
		}
		if got := names(t, disk); len(got) != 1 {
			t.Errorf("left: %s", got)
		}
		if err := r.Remove(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
	}
}
