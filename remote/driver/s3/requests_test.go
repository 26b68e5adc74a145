package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
)

const owner = "alice"

// store publishes content as name through a Stage, as an FTP upload does.
func store(t *testing.T, r *Remote, name string, o remote.StageOptions, content []byte) {
	t.Helper()
	o.Owner = owner
	s, err := r.Stage(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(s, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// load returns the content of name.
func load(t *testing.T, r *Remote, name string) []byte {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pattern returns n bytes that tell where they are.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)
	}
	return b
}

// listErr returns nil if a listing of name fails with want. What it says of a file must be what
// Stat says.
func listErr(r *Remote, name string, want error) error {
	for _, err := range r.List(context.Background(), name) {
		var file *remote.FileError
		switch {
		case !errors.Is(err, want):
			return fmt.Errorf("error %w", err)
		case errors.As(err, &file) != (want == remote.ErrNotDir):
			return fmt.Errorf("it does not say which file is there: %w", err)
		case file != nil && (file.Entry.Name != name || file.Entry.Size != 16<<10 || file.Entry.Version == ""):
			return fmt.Errorf("it says %+v", file.Entry)
		}
		return nil
	}
	return errors.New("an empty listing")
}

func TestWhatACallCosts(t *testing.T) {
	f := startGatewayFront(t)
	o := testOptions(f.addr)
	o.ListChunk = 100
	r := openAt(t, testBucket+"/top", o)
	small := pattern(16 << 10)
	base := "/bucket/top/"
	for _, c := range []struct {
		what string
		call func() error
		want []string
	}{
		{"the first upload into a directory that was never seen", func() error {
			store(t, r, "a/b/f", remote.StageOptions{}, small)
			return nil
		}, []string{"GET /bucket/ list-type prefix", "GET /bucket/ list-type prefix", // one of them for unfinished uploads, which counts for half a minute
			"HEAD " + base + "a", "HEAD " + base + "a/b", "PUT " + base + "a/b/f"}},
		{"the same again", func() error { store(t, r, "a/b/f", remote.StageOptions{}, small); return nil },
			[]string{"PUT " + base + "a/b/f"}},
		{"a small upload of another name", func() error { store(t, r, "a/b/g", remote.StageOptions{}, small); return nil },
			[]string{"GET /bucket/ list-type prefix", "PUT " + base + "a/b/g"}},
		{"a small upload, when its directory was listed", func() error {
			store(t, r, "a/b/h", remote.StageOptions{}, small)
			return nil
		}, []string{"PUT " + base + "a/b/h"}},
		{"a new directory", func() error { return r.Mkdir(t.Context(), "new") },
			[]string{"GET /bucket/ list-type prefix", "HEAD " + base + "new", "PUT " + base + "new/"}},
		{"a small upload into it", func() error { store(t, r, "new/f", remote.StageOptions{}, small); return nil },
			[]string{"PUT " + base + "new/f"}},
		{"its end", func() error { return r.Remove(t.Context(), "new/f") },
			[]string{"DELETE " + base + "new/f", "HEAD " + base + "new/f"}},
		{"the end of a file beside others", func() error { return r.Remove(t.Context(), "a/b/h") },
			[]string{"DELETE " + base + "a/b/h", "HEAD " + base + "a/b/h"}},
		{"a small Put into a root that was never seen", func() error {
			_, err := r.Put(t.Context(), "g", bytes.NewReader(small), remote.PutOptions{})
			return err
		}, []string{"GET /bucket/ list-type prefix", "PUT " + base + "g"}},
		{"a small Put", func() error {
			_, err := r.Put(t.Context(), "h", bytes.NewReader(small), remote.PutOptions{})
			return err
		}, []string{"PUT " + base + "h"}},
		{"the first file beside a directory", func() error { store(t, r, "a/empty", remote.StageOptions{}, nil); return nil },
			[]string{"GET /bucket/ list-type prefix", "PUT " + base + "a/empty"}},
		{"an empty file", func() error { store(t, r, "a/empty too", remote.StageOptions{}, nil); return nil },
			[]string{"PUT " + base + "a/empty too"}},
		{"an upload that is dropped", func() error {
			s, err := r.Stage(t.Context(), "never", remote.StageOptions{Owner: owner})
			return errors.Join(err, s.Keep())
		}, nil},
		{"an upload over a directory that is known", func() error {
			_, err := r.Stage(t.Context(), "a", remote.StageOptions{Owner: owner})
			if !errors.Is(err, remote.ErrIsDir) {
				return fmt.Errorf("error %w", err)
			}
			return nil
		}, []string{"GET /bucket/ list-type prefix"}},
		{"a file's description", func() error { _, err := r.Stat(t.Context(), "g"); return err },
			[]string{"HEAD " + base + "g"}},
		{"a directory's description", func() error { _, err := r.Stat(t.Context(), "a"); return err },
			[]string{"GET /bucket/ list-type prefix", "HEAD " + base + "a"}},
		{"the listing of a file", func() error { return listErr(r, "h", remote.ErrNotDir) },
			[]string{"GET /bucket/ list-type prefix", "HEAD " + base + "h"}},
		{"a listing of nothing", func() error { return listErr(r, "z", remote.ErrNotExist) },
			[]string{"GET /bucket/ list-type prefix", "HEAD " + base + "z"}},
		{"reading", func() error { load(t, r, "g"); return nil }, []string{"GET " + base + "g"}},
		{"an upload in two parts", func() error { store(t, r, "long", remote.StageOptions{}, pattern(6<<20)); return nil },
			[]string{"GET /bucket/ list-type prefix", "POST " + base + "long uploadId", "POST " + base + "long uploads",
				"PUT " + base + "long partNumber uploadId", "PUT " + base + "long partNumber uploadId"}},
		{"appending to a long file", func() error {
			store(t, r, "long", remote.StageOptions{Base: remote.BaseFile, Off: remote.AtEnd}, small)
			return nil
		}, []string{"GET /bucket/ list-type prefix", "HEAD " + base + "long", "POST " + base + "long uploadId",
			"POST " + base + "long uploads", "PUT " + base + "long partNumber uploadId",
			"PUT " + base + "long partNumber uploadId copy"}},
	} {
		f.take()
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		got := f.take()
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: requests\n\t%s\nwant\n\t%s", c.what, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
		}
	}
	if got := load(t, r, "long"); !bytes.Equal(got, append(pattern(6<<20), small...)) {
		t.Errorf("%d bytes, and not those that were appended", len(got))
	}
}

func TestAListingIsOneRequestPerPage(t *testing.T) {
	f := startFake(t)
	o := testOptions(f.addr)
	o.ListChunk = 100
	r := openAt(t, testBucket, o)
	names(t, r, ".")     // so that it is known that there are no unfinished uploads
	for i := range 150 { // from the third page on others may be asked for that turn out not to be there
		if _, err := r.Put(t.Context(), fmt.Sprintf("d/%03d", i), strings.NewReader("x"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f.take()
	n := 0
	for _, err := range r.List(t.Context(), "d") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 && len(f.take()) != 1 {
			t.Error("the first entry did not come with the first page")
		}
	}
	if got := f.take(); n != 150 || len(got) != 1 {
		t.Errorf("%d entries; after the first page: %q", n, got)
	}
}

// The first bytes of a file come from the server again only when they are too few for it to copy
// them.
func TestContinuingAFile(t *testing.T) {
	r := openAt(t, testBucket, testOptions(startGateway(t)))
	long := pattern(12 << 20)
	for _, off := range []int64{0, 1, 1000, minPart - 1, minPart, minPart + 1, 11 << 20, 12 << 20} {
		store(t, r, "f", remote.StageOptions{}, long)
		tail := []byte("the tail")
		store(t, r, "f", remote.StageOptions{Base: remote.BaseFile, Off: off}, tail)
		if got := load(t, r, "f"); !bytes.Equal(got, append(slices.Clip(long[:off]), tail...)) {
			t.Errorf("at %d: %d bytes, and not the right ones", off, len(got))
		}
	}
}

func TestALongFileIsCopiedInParts(t *testing.T) {
	o := testOptions(startGateway(t))
	o.CopyCutoff = 2 * minPart
	r := openAt(t, testBucket, o)
	long := pattern(4*minPart + 100)
	when := time.Date(2020, 1, 2, 3, 4, 5, 600, time.UTC)
	if _, err := r.Put(t.Context(), "f", bytes.NewReader(long), remote.PutOptions{ModTime: when}); err != nil {
		t.Fatal(err)
	}
	if err := r.Move(t.Context(), "f", "g"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(load(t, r, "g"), long) {
		t.Error("the content has changed")
	}
	if e, err := r.Stat(t.Context(), "g"); err != nil || !e.ModTime.Equal(when) {
		t.Errorf("%+v, %v", e, err)
	}
	if n := uploads(t, r); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// A caller who wants the size of a file is told that of the object, and nothing else is asked for.
func TestASizeIsOneRequest(t *testing.T) {
	f := startFake(t)
	other := openAt(t, testBucket, testOptions(f.addr))
	fillBucket(t, other, map[string]string{"plain": "12345", "d/f": "", "both": "12345", "both/f": "", "empty": "", "empty/f": ""})
	for _, c := range []struct {
		name     string
		dir      bool
		err      error
		requests int
	}{
		{"plain", false, nil, 1},
		{"both", false, nil, 1}, // a full Stat says that it is a directory
		{"empty", true, nil, 2},
		{"d", true, nil, 2},
		{"missing", false, remote.ErrNotExist, 2},
	} {
		r := openAt(t, testBucket, testOptions(f.addr))
		f.take()
		e, err := r.Stat(remote.WithSizeOnly(t.Context()), c.name)
		got := f.take()
		if !errors.Is(err, c.err) || e.Dir != c.dir || c.err == nil && !c.dir && e.Size != 5 || len(got) != c.requests {
			t.Errorf("%s: %+v, %v by %q, want %d requests", c.name, e, err, got, c.requests)
		}
		if c.name != "both" {
			continue
		}
		if e, err := r.Stat(t.Context(), c.name); err != nil || !e.Dir {
			t.Errorf("%s: %+v, %v", c.name, e, err)
		}
		if e, err := r.Stat(remote.WithSizeOnly(t.Context()), c.name); err != nil || !e.Dir {
			t.Errorf("%s, now that the directory was seen: %+v, %v", c.name, e, err)
		}
	}
}

// A directory that was described has been listed, where that is short: what is stored there then
// asks nothing.
func TestADescribedDirectoryIsKnown(t *testing.T) {
	f := startFake(t)
	other := openAt(t, testBucket, testOptions(f.addr))
	for _, name := range []string{"f", "d/f", "d/e/f"} {
		store(t, other, name, remote.StageOptions{}, []byte("x"))
	}
	r := openAt(t, testBucket, testOptions(f.addr))
	if _, err := r.Stat(t.Context(), "."); err != nil {
		t.Fatal(err)
	}
	f.take()
	load(t, r, "f")
	if got := f.take(); len(got) != 1 {
		t.Errorf("a file of the root is read by %q", got)
	}
	if _, err := r.Stat(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	store(t, r, "new", remote.StageOptions{}, []byte("x")) // from then on it is known that there are no unfinished uploads
	f.take()
	store(t, r, "d/new", remote.StageOptions{}, []byte("x"))
	if got := f.take(); len(got) != 1 {
		t.Errorf("a file is stored beside others by %q", got)
	}
}

// A directory is renamed by a request for each object and step, all of them under way in the
// company of many others.
func TestWhatRenamingADirectoryCosts(t *testing.T) {
	f := startGatewayFront(t)
	r := openAt(t, testBucket, testOptions(f.addr))
	const files = 200
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			for i := k; i < files; i += 8 {
				if _, err := r.Put(t.Context(), fmt.Sprintf("d/%04d", i), strings.NewReader(fmt.Sprint(i)), remote.PutOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	f.take()
	if err := r.Move(t.Context(), "d", "e"); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, q := range f.take() {
		method, _, _ := strings.Cut(q, " ")
		count[method]++
	}
	// The first removals find out what the server makes of preconditions.
	if count["PUT"] != files || count["DELETE"] > files+16 || count["HEAD"] > files+3+16 || count["GET"] > 6 {
		t.Errorf("requests: %v", count)
	}
	if got := load(t, r, "e/0199"); string(got) != "199" {
		t.Errorf("the last one holds %q", got)
	}
	if _, err := r.Stat(t.Context(), "d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the old directory: %v", err)
	}
}
