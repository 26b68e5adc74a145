package azureblob_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

const owner = "alice"

// blob returns n bytes that tell where they are.
func blob(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16 + i>>8 + i)
	}
	return b
}

func put(t *testing.T, r remote.Remote, name string, content []byte) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, struct{ io.Reader }{bytes.NewReader(content)}, remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, r remote.Remote, name string, want []byte) {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s holds %d bytes that are not the %d expected, %v", name, len(got), len(want), err)
	}
}

// continued stages tail behind the first off bytes of name.
func continued(t *testing.T, r remote.Stager, name string, off int64, tail []byte) remote.Stage {
	t.Helper()
	s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: off})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(tail); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFilesOfManyBlocks(t *testing.T) {
	service := startService(t)
	o := service.options()
	o.ChunkSize, o.Concurrency = 256<<10, 3
	r := open(t, service.container(t), o)
	defer r.Close()
	content := blob(10<<20 + 3)
	when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	e, err := r.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{Size: int64(len(content)), ModTime: when})
	if err != nil || e.Size != int64(len(content)) || !e.ModTime.Equal(when) {
		t.Errorf("Put: %+v, %v", e, err)
	}
	holds(t, r, "f", content)
	sum := md5.Sum(content)
	if got, err := r.Hash(t.Context(), "f", "md5"); err != nil || !bytes.Equal(got, sum[:]) {
		t.Errorf("Hash: %x, %v", got, err)
	}
}

func TestContinuingFiles(t *testing.T) {
	service := startService(t)
	for _, firstInOneRequest := range []bool{true, false} {
		o := service.options()
		container := service.container(t)
		if !firstInOneRequest {
			o.ChunkSize = 100 << 10
		}
		first := open(t, container, o)
		defer first.Close()
		want := blob(1<<20 + 7)
		put(t, first, "d/f", want)
		o.ChunkSize = 64 << 10 // blocks of another size than those that are there
		r := open(t, container, o)
		defer r.Close()
		for _, off := range []int64{remote.AtEnd, 500_000, 300 << 10, 7, remote.AtEnd, 0} {
			tail := blob(200_000)
			if _, err := continued(t, r, "d/f", off, tail).Commit(t.Context(), time.Time{}); err != nil {
				t.Fatal(err)
			}
			if off == remote.AtEnd {
				off = int64(len(want))
			}
			want = append(want[:off:off], tail...)
			holds(t, r, "d/f", want)
		}
	}
}

func TestAFileThatWasReplacedIsNotContinued(t *testing.T) {
	service := startService(t)
	o := service.options()
	o.ChunkSize = 64 << 10
	r := open(t, service.container(t), o)
	defer r.Close()
	for _, size := range []int{100, 200_000} {
		put(t, r, "f", blob(size))
		s := continued(t, r, "f", remote.AtEnd, blob(10))
		put(t, r, "f", []byte("of somebody else"))
		if _, err := s.Commit(t.Context(), time.Time{}); err == nil {
			t.Errorf("%d bytes that were replaced meanwhile are continued", size)
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
		holds(t, r, "f", []byte("of somebody else"))
	}
}

func TestAContainerIsADirectory(t *testing.T) {
	ctx := t.Context()
	service := startService(t)
	r := open(t, "", service.options())
	defer r.Close()
	if err := r.Mkdir(ctx, "pictures"); err != nil {
		t.Fatal(err)
	}
	if err := r.Mkdir(ctx, "pictures"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Mkdir: %v", err)
	}
	put(t, r, "pictures/2026/a.jpg", blob(10))
	if err := r.Rmdir(ctx, "pictures"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("Rmdir of a full one: %v", err)
	}
	holds(t, r, "pictures/2026/a.jpg", blob(10))
	if err := r.Remove(ctx, "pictures/2026/a.jpg"); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{"pictures/2026", "pictures"} {
		if err := r.Rmdir(ctx, dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Stat(ctx, "pictures"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	other := open(t, "none", service.options())
	defer other.Close()
	if _, err := other.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{}); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Put: %v", err)
	}
}
