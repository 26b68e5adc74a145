package gcs_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest/servers/gcsserver"
)

// begun stages content behind what o begins with.
func begun(t *testing.T, r remote.Stager, o remote.StageOptions, content []byte) remote.Stage {
	t.Helper()
	o.Owner = "alice"
	s, err := r.Stage(t.Context(), "f", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Abort() })
	if _, err := s.Write(content); err != nil {
		t.Fatal(err)
	}
	return s
}

// continueAll stores want in pieces, each through another node.
func continueAll(t *testing.T, open func() remote.Remote, from remote.StageOptions, at int64, want []byte, pieces ...int64) {
	t.Helper()
	for _, n := range pieces {
		r := open()
		if err := begun(t, r.(remote.Stager), from, want[at:at+n]).Keep(); err != nil {
			t.Fatal(err)
		}
		at += n
		if e, err := open().(remote.Stager).Part(t.Context(), "f", "alice"); err != nil || e.Size != at {
			t.Fatalf("%d bytes were sent, kept is %+v, %v", at, e, err)
		}
		from = remote.StageOptions{Base: remote.BasePart, Off: at}
	}
	r := open()
	if _, err := begun(t, r.(remote.Stager), from, want[at:]).Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, not those of the upload, %v", len(got), err)
	}
	if _, err := r.(remote.Stager).Part(t.Context(), "f", "alice"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v", err)
	}
}

func TestAnUploadIsContinuedOnAnotherNode(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	open := func() remote.Remote { return openBucket(t, service, bucket+"/top") }
	const chunk = 16 << 20
	want := make([]byte, 3*chunk+100)
	for i := range want {
		want[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)
	}
	continueAll(t, open, remote.StageOptions{}, 0, want, 1, 2<<20, chunk, chunk-2<<20-1, 7)

	// An append is put behind the file at its end.
	want = append(want, want[:chunk+3<<20]...)
	continueAll(t, open, remote.StageOptions{Base: remote.BaseFile, Off: remote.AtEnd}, 3*chunk+100, want, 10, chunk+5, 3)

	if e, err := open().Stat(t.Context(), "f"); err != nil || e.Size != int64(len(want)) {
		t.Errorf("%+v, %v", e, err)
	}
	r := open().(remote.Stager)
	if err := begun(t, r, remote.StageOptions{}, want[:chunk+1<<20]).Keep(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "alice", Base: remote.BasePart, Off: 5}); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("within what the service has: %v", err)
	}
	if err := r.DropPart(t.Context(), "f", "alice"); err != nil {
		t.Error(err)
	}
}
