package cache

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"

	"ferry/disk/disktest"
)

func TestAStreamedDraftGivesBackWhatWasRead(t *testing.T) {
	d := disktest.New()
	s, err := Open(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	draft, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 100<<10) // more than describeAfter
	if _, err := draft.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := draft.Release(4096); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a draft that is not streamed was released: %v", err)
	}
	if err := draft.Stream(); err != nil {
		t.Fatal(err)
	}
	before := s.Stats().Used
	if err := draft.Release(1<<20 + 5); err != nil {
		t.Fatal(err)
	}
	if got := before - s.Stats().Used; got != 1<<20 {
		t.Errorf("%d bytes were given back", got)
	}
	rest, err := io.ReadAll(io.NewSectionReader(draft, 1<<20, int64(len(content))))
	if err != nil || !bytes.Equal(rest, content[1<<20:]) {
		t.Errorf("the rest is %d bytes, %v", len(rest), err)
	}
	if _, err := draft.Commit(t.Context(), Record{Name: "f"}, Durable); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("it was committed: %v", err)
	}
	if err := draft.Keep(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part("f", "bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was kept: %v", err)
	}
	if used := s.Stats().Used; used != 0 {
		t.Errorf("%d bytes are still counted", used)
	}
}

func TestAStreamedDraftIsNoPartAfterTheEndOfTheProcess(t *testing.T) {
	d := disktest.New()
	s, err := Open(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := s.Create(t.Context(), CreateOptions{Name: "f", Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := draft.Write(make([]byte, describeAfter)); err != nil {
		t.Fatal(err)
	}
	if err := draft.Stream(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // the draft is still open
		t.Fatal(err)
	}
	if s, err = Open(d, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Part("f", "bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has become a part: %v", err)
	}
}
