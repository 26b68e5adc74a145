package chunks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"ferry/remote"
)

// TestAServerThatGivesLessIsReadToTheEnd serves at most 1000 bytes for each request.
func TestAServerThatGivesLessIsReadToTheEnd(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 60_000)
	for _, end := range []error{io.EOF, nil} { // as package sftp does, and as package smb2 does
		file := stingy{bytes.NewReader(want), end}
		got, err := readAll(file, make([]byte, len(want)), 0)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		got, err = readAll(file, make([]byte, len(want)), 1000)
		if err != io.EOF || !bytes.Equal(got, want[1000:]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}

// A stingy file gives less than it was asked for, with an error or without.
type stingy struct {
	r   io.ReaderAt
	end error
}

func (s stingy) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.r.ReadAt(p[:min(len(p), 1000)], off)
	if err == nil && n < len(p) {
		err = s.end
	}
	return n, err
}

// TestTheEndOfTheConnectionIsNotThatOfTheFile has an error of a library that wraps io.EOF when it
// cannot send.
func TestTheEndOfTheConnectionIsNotThatOfTheFile(t *testing.T) {
	fail := func(err error) error {
		if errors.Is(err, io.EOF) {
			return errors.New("lost")
		}
		return err
	}
	r := NewReader(t.Context(), nil, ReadOptions{N: -1, Fail: fail})
	if err := r.readErr(fmt.Errorf("failed to send packet: %w", io.EOF)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	if err := r.readErr(io.EOF); err != io.EOF {
		t.Errorf("%v", err)
	}
	r = NewReader(t.Context(), nil, ReadOptions{Entry: remote.Entry{Size: 1}, N: -1, Fail: fail})
	if err := r.readErr(io.EOF); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is shorter than it was: %v", err)
	}
}
