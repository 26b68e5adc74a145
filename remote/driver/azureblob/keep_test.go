package azureblob_test

import (
	"bytes"
	"crypto/md5"
	"errors"
	"testing"
	"time"

	"ferry/remote"
)

// cut stages content behind what o begins with, and keeps it.
func cut(t *testing.T, r remote.Stager, o remote.StageOptions, content []byte) {
	t.Helper()
	if err := begun(t, r, o, content).Keep(); err != nil {
		t.Fatal(err)
	}
}

func begun(t *testing.T, r remote.Stager, o remote.StageOptions, content []byte) remote.Stage {
	t.Helper()
	o.Owner = owner
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

// Each round of an upload goes through another node. The blob has its MD5 all the same.
func TestAnUploadIsContinuedOnAnotherNode(t *testing.T) {
	service := startService(t)
	container, o := service.container(t), service.options()
	o.ChunkSize = 100
	want := blob(1234)
	at := int64(0)
	for _, n := range []int64{1, 99, 100, 101, 350, 49, 500} {
		r := open(t, container, o)
		from := remote.StageOptions{Base: remote.BasePart, Off: at}
		if at == 0 {
			from = remote.StageOptions{}
		}
		cut(t, r, from, want[at:at+n])
		at += n
		if e, err := open(t, container, o).Part(t.Context(), "f", owner); err != nil || e.Size != at {
			t.Fatalf("%d bytes were sent, kept is %+v, %v", at, e, err)
		}
	}
	r := open(t, container, o)
	if _, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: 150}); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("within a block: %v", err)
	}
	s := begun(t, r, remote.StageOptions{Base: remote.BasePart, Off: remote.AtEnd}, want[at:])
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	holds(t, r, "f", want)
	if sum, err := r.Hash(t.Context(), "f", "md5"); err != nil || !bytes.Equal(sum, md5sum(want)) {
		t.Errorf("md5: %x, %v", sum, err)
	}
	if _, err := r.Part(t.Context(), "f", owner); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v", err)
	}
}

func md5sum(b []byte) []byte {
	sum := md5.Sum(b)
	return sum[:]
}

// The blocks of the file that is continued are named again, as long as it is that file.
func TestAnAppendIsContinuedOnAnotherNode(t *testing.T) {
	service := startService(t)
	container, o := service.container(t), service.options()
	o.ChunkSize = 100
	want := blob(1000)
	r, other := open(t, container, o), open(t, container, o)
	put(t, r, "f", want[:450])
	cut(t, r, remote.StageOptions{Base: remote.BaseFile, Off: remote.AtEnd}, want[450:700])
	s := begun(t, other, remote.StageOptions{Base: remote.BasePart, Off: 700}, want[700:])
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	holds(t, r, "f", want)

	cut(t, r, remote.StageOptions{Base: remote.BaseFile, Off: remote.AtEnd}, want[:300])
	put(t, other, "f", want) // with it the service drops what was kept
	if e, err := other.Part(t.Context(), "f", owner); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %+v, %v", e, err)
	}
	holds(t, r, "f", want)
}
