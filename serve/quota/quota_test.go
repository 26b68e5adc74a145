package quota

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// newTree returns a view of a new tree, to which uploads can be continued.
func newTree(t *testing.T) ftp.FS {
	t.Helper()
	r := memory.New()
	tree := vfs.New(r, vfs.Options{PartMaxAge: time.Hour})
	t.Cleanup(func() { tree.Close() })
	return tree.View("bob")
}

func counted(t *testing.T, s *Store, tree ftp.FS, l Limits) *FS {
	t.Helper()
	a, err := s.Account("bob", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return New(tree, a, slog.New(slog.DiscardHandler))
}

// put stores n bytes; with from it does so by ReadFrom.
func put(f ftp.FS, name string, off int64, n int, from bool) error {
	u, err := f.Create(context.Background(), name, off)
	if err != nil {
		return err
	}
	defer u.Abort()
	body := make([]byte, n)
	if r, able := u.(io.ReaderFrom); able && from {
		_, err = r.ReadFrom(&io.LimitedReader{R: bytes.NewReader(body), N: 1 << 20})
	} else {
		_, err = u.Write(body)
	}
	if err != nil {
		return err
	}
	return u.Commit(context.Background())
}

func TestBytesAndFilesAreCounted(t *testing.T) {
	s := NewStore(filepath.Join(t.TempDir(), "quota"))
	f := counted(t, s, newTree(t), Limits{Bytes: 100, Files: 3})
	ctx := t.Context()
	for _, step := range []struct {
		what string
		do   func() error
		want error
		used Usage
	}{
		{"a new file", func() error { return put(f, "a", 0, 60, false) }, nil, Usage{60, 1}},
		{"too many bytes", func() error { return put(f, "b", 0, 41, false) }, ftp.ErrQuota, Usage{60, 1}},
		{"as many as there may be", func() error { return put(f, "b", 0, 40, false) }, nil, Usage{100, 2}},
		{"one more", func() error { return put(f, "c", 0, 1, false) }, ftp.ErrQuota, Usage{100, 2}},
		{"an empty one", func() error { return put(f, "c", 0, 0, false) }, nil, Usage{100, 3}},
		{"too many files", func() error { return put(f, "d", 0, 0, false) }, ftp.ErrQuota, Usage{100, 3}},
		{"a file in its place, as large", func() error { return put(f, "a", 0, 60, false) }, nil, Usage{100, 3}},
		{"a larger one", func() error { return put(f, "a", 0, 61, false) }, ftp.ErrQuota, Usage{100, 3}},
		{"a smaller one", func() error { return put(f, "a", 0, 20, false) }, nil, Usage{60, 3}},
		{"appended", func() error { return put(f, "a", ftp.AtEnd, 10, false) }, nil, Usage{70, 3}},
		{"appended too much", func() error { return put(f, "a", ftp.AtEnd, 31, false) }, ftp.ErrQuota, Usage{70, 3}},
		{"continued from its middle", func() error { return put(f, "a", 10, 25, false) }, nil, Usage{75, 3}},
		{"renamed over another", func() error { return f.Rename(ctx, "a", "b") }, nil, Usage{35, 2}},
		{"renamed", func() error { return f.Rename(ctx, "b", "a") }, nil, Usage{35, 2}},
		{"removed", func() error { return f.Remove(ctx, "a") }, nil, Usage{0, 1}},
	} {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.what, err, step.want)
		}
		if got := f.account.Usage(); got != step.used {
			t.Errorf("%s: used %+v, want %+v", step.what, got, step.used)
		}
	}
	if free, err := f.Free(ctx, "."); err != nil || free != 100 {
		t.Errorf("free: %d, %v", free, err)
	}
	if got, err := s.Usage("bob"); err != nil || got != (Usage{0, 1}) {
		t.Errorf("kept: %+v, %v", got, err)
	}
}

// TestACountAgreesWithAScan makes random changes, some of which fail.
func TestACountAgreesWithAScan(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s := NewStore(filepath.Join(t.TempDir(), "quota"))
	f := counted(t, s, newTree(t), Limits{Bytes: 500, Files: 8})
	for i := range 3000 {
		name, other := fmt.Sprint("f", rnd.IntN(12)), fmt.Sprint("f", rnd.IntN(12))
		what := rnd.IntN(8)
		switch what {
		case 0:
			f.Remove(t.Context(), name)
		case 1:
			f.Rename(t.Context(), name, other)
		case 2:
			put(f, name, ftp.AtEnd, rnd.IntN(100), rnd.IntN(2) == 0)
		case 3:
			put(f, name, int64(rnd.IntN(50)), rnd.IntN(100), rnd.IntN(2) == 0)
		case 4: // given up
			if u, err := f.Create(t.Context(), name, 0); err == nil {
				u.Write(make([]byte, rnd.IntN(100)))
				u.Abort()
			}
		default:
			put(f, name, 0, rnd.IntN(150), rnd.IntN(2) == 0)
		}
		want, err := Scan(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.account.Usage(); got != want || got.Bytes > 500 || got.Files > 8 {
			t.Fatalf("step %d (%d, %s, %s): counted %+v, there are %+v", i, what, name, other, got, want)
		}
		if r := f.account.reserved; r != (Usage{}) {
			t.Fatalf("step %d (%d): %+v are reserved", i, what, r)
		}
	}
}

// TestUploadsAtOnceShareWhatIsLeft has ten uploads that would each fit.
func TestUploadsAtOnceShareWhatIsLeft(t *testing.T) {
	s := NewStore(filepath.Join(t.TempDir(), "quota"))
	tree := newTree(t)
	one, two := counted(t, s, tree, Limits{Bytes: 1000, Files: 5}), counted(t, s, tree, Limits{Bytes: 1000, Files: 5})
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			f := one
			if i%2 == 0 {
				f = two
			}
			for j := range 20 {
				if err := put(f, fmt.Sprint(i, "-", j), 0, 300, i%3 == 0); err != nil && !errors.Is(err, ftp.ErrQuota) {
					t.Error(err)
				}
				f.Remove(context.Background(), fmt.Sprint(i, "-", j-3))
				if u := f.account.Usage(); u.Bytes > 1000 || u.Files > 5 {
					t.Errorf("used %+v", u)
				}
			}
		})
	}
	all.Wait()
	want, err := Scan(t.Context(), one)
	if got := one.account.Usage(); err != nil || got != want {
		t.Errorf("counted %+v, there are %+v, %v", got, want, err)
	}
}

func TestUsageSurvivesAndCanBeSet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "quota")
	tree := newTree(t)
	f := counted(t, NewStore(dir), tree, Limits{})
	if err := put(f, "a", 0, 10, false); err != nil {
		t.Fatal(err)
	}
	other := NewStore(dir) // of a process that was started after a kill
	if u, err := other.Usage("bob"); err != nil || u != (Usage{10, 1}) {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := other.Usage("nobody"); err != nil || u != (Usage{}) {
		t.Errorf("%+v, %v", u, err)
	}
	if err := other.Set("bob", Usage{500, 7}); err != nil {
		t.Fatal(err)
	}
	if err := put(f, "b", 0, 10, false); err != nil {
		t.Fatal(err)
	}
	if u, err := other.Usage("bob"); err != nil || u != (Usage{510, 8}) {
		t.Errorf("after it was set: %+v, %v", u, err)
	}
	if free, err := f.Free(t.Context(), "."); err != nil || free >= 0 {
		t.Errorf("without a limit %d bytes are free, %v", free, err)
	}
}

func TestADamagedRecordIsTold(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"x", strings.Repeat("y", recordSize), strings.Repeat("1", 19) + " 1"} {
		if err := os.WriteFile(filepath.Join(dir, "bob"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewStore(dir).Account("bob", Limits{}); err == nil || !strings.Contains(err.Error(), "--scan") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := NewStore(dir).Set("bob", Usage{1, 1}); err != nil {
		t.Error(err)
	}
	if u, err := NewStore(dir).Usage("bob"); err != nil || u != (Usage{1, 1}) {
		t.Errorf("%+v, %v", u, err)
	}
}

func BenchmarkSmallFiles(b *testing.B) {
	for name, limits := range map[string]*Limits{"without": nil, "with": {Bytes: 1 << 40}} {
		b.Run(name, func(b *testing.B) {
			r := memory.New()
			tree := vfs.New(r, vfs.Options{})
			defer tree.Close()
			var f ftp.FS = tree.View("bob")
			if limits != nil {
				a, err := NewStore(b.TempDir()).Account("bob", *limits)
				if err != nil {
					b.Fatal(err)
				}
				f = New(f, a, slog.New(slog.DiscardHandler))
			}
			for b.Loop() {
				if err := put(f, "a", 0, 4096, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
