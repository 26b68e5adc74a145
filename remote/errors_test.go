package remote_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"ferry/remote"
)

func TestAnErrorOfAnotherNameIsRenamed(t *testing.T) {
	if err := remote.Renamed("stat", "mine", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	there := &fs.PathError{Op: "open", Path: "theirs", Err: remote.ErrNotExist}
	for _, c := range []struct {
		err  error
		want string
	}{
		{remote.ErrQuota, "stat mine: disk quota exceeded"},
		{there, "open mine: file does not exist"},
		{fmt.Errorf("there: %w", there), "stat mine: there: open theirs: file does not exist"},
	} {
		err := remote.Renamed("stat", "mine", c.err)
		if err.Error() != c.want || !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrQuota) {
			t.Errorf("%q, want %q", err, c.want)
		}
	}
	if err := remote.Renamed("stat", "mine", remote.Final(remote.Repeated(there))); !remote.IsFinal(err) || !remote.WasRepeated(err) {
		t.Errorf("what was known of %v is lost", err)
	}
}

func TestFail(t *testing.T) {
	none := func(error) error { return remote.ErrNotExist }
	if err := remote.FailOnce("open", "a", nil, none); err != nil || remote.Fail("open", "a", nil) != nil {
		t.Errorf("nil became %v", err)
	}
	lost := errors.New("lost")
	for text, err := range map[string]error{
		"open a: lost":                remote.Fail("open", "a", lost),
		"open a: stat a: lost":        remote.Fail("open", "a", remote.Fail("stat", "a", lost)),
		"stat a: lost":                remote.FailOnce("open", "a", remote.Fail("stat", "a", lost), none),
		"open a: stat b: lost":        remote.FailOnce("open", "a", remote.Fail("stat", "b", lost), nil),
		"open a: file does not exist": remote.FailOnce("open", "a", lost, none),
	} {
		if err.Error() != text {
			t.Errorf("%q, want %q", err, text)
		}
	}
}
