package gcs_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/servers/gcsserver"
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

func get(t *testing.T, r remote.Remote, name string) []byte {
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

// appended publishes tail behind the first off bytes of name.
func appended(t *testing.T, r remote.Stager, name string, off int64, tail []byte) {
	t.Helper()
	s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: off})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(tail); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func TestFilesOfSeveralChunks(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	r := openBucket(t, service, bucket)
	defer r.Close()
	content := blob(40<<20 + 3)
	when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	e, err := r.Put(t.Context(), "f", bytes.NewReader(content), remote.PutOptions{Size: int64(len(content)), ModTime: when})
	if err != nil || e.Size != int64(len(content)) || !e.ModTime.Equal(when) {
		t.Errorf("Put: %+v, %v", e, err)
	}
	if !bytes.Equal(get(t, r, "f"), content) {
		t.Error("the content is another")
	}
	sum := md5.Sum(content)
	if got, err := r.Hash(t.Context(), "f", "md5"); err != nil || !bytes.Equal(got, sum[:]) {
		t.Errorf("Hash: %x, %v", got, err)
	}
}

func TestAppendingComposesOnTheFarSide(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	r := openBucket(t, service, bucket)
	defer r.Close()
	want := blob(3 << 20)
	put(t, r, "d/f", want)
	for _, tail := range [][]byte{[]byte("more"), nil, blob(2<<20 + 1)} {
		appended(t, r, "d/f", remote.AtEnd, tail)
		want = append(want, tail...)
		if !bytes.Equal(get(t, r, "d/f"), want) {
			t.Fatalf("behind %d bytes the content is another", len(tail))
		}
		if got := service.Names(t, bucket); got != "d/f" {
			t.Errorf("objects: %s", got)
		}
	}
	appended(t, r, "d/f", 1<<20, []byte("cut"))
	if want = append(want[:1<<20], "cut"...); !bytes.Equal(get(t, r, "d/f"), want) {
		t.Error("behind a part of the file the content is another")
	}
}

func TestNothingIsLeftOfAnAppendThatFails(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	r := openBucket(t, service, bucket)
	defer r.Close()
	put(t, r, "f", blob(3<<20))
	begin := func() remote.Stage {
		s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: remote.AtEnd})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(blob(20 << 20)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := begin().Abort(); err != nil {
		t.Error(err)
	}
	if got := service.Names(t, bucket); got != "f" {
		t.Errorf("objects after Abort: %s", got)
	}
	s := begin()
	put(t, r, "f", []byte("of somebody else"))
	if _, err := s.Commit(t.Context(), time.Time{}); err == nil {
		t.Error("a file that was replaced meanwhile is continued")
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	if got := string(get(t, r, "f")); got != "of somebody else" {
		t.Errorf("f holds %d bytes", len(got))
	}
	if got := service.Names(t, bucket); got != "f" {
		t.Errorf("objects after a failure: %s", got)
	}
}

func TestASmallUploadIsTwoRequests(t *testing.T) {
	service := gcsserver.Start(t)
	r := openBucket(t, service, service.NewBucket(t))
	defer r.Close()
	before := service.Requests()
	put(t, r, "f", blob(16<<10))
	if n := service.Requests() - before; n != 2 { // is it a directory? then the content
		t.Errorf("%d requests", n)
	}
	before = service.Requests()
	if _, err := r.Stat(t.Context(), "f"); err != nil {
		t.Error(err)
	}
	if n := service.Requests() - before; n != 1 {
		t.Errorf("%d requests for Stat", n)
	}
}

func TestAMissingBucketIsNotThere(t *testing.T) {
	service := gcsserver.Start(t)
	r := openBucket(t, service, "none")
	defer r.Close()
	if _, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Put: %v", err)
	}
	if _, err := r.Stat(t.Context(), "."); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
}
