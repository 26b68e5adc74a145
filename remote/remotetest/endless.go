package remotetest

import (
	"errors"
	"strconv"
	"testing"

	"ferry/remote"
)

// EndlessEntries is how many entries the remotes of RunEndless may list.
const EndlessEntries = 5000

// RunEndless checks that a listing has an end though the server knows none. open gives a remote
// that takes EndlessEntries of a directory, whose server lists the files that name tells, one after
// the other, for ever.
func RunEndless(t *testing.T, open func(t *testing.T, name func(i int) string) remote.Remote) {
	t.Helper()
	for what, name := range map[string]func(i int) string{
		"new names":     func(i int) string { return "file" + strconv.Itoa(1_000_000_000+i) },
		"the same name": func(int) string { return "file" },
		"hidden names":  func(i int) string { return ".ferry-part.x~" + strconv.Itoa(1+i) + ".file" },
	} {
		t.Run(what, func(t *testing.T) {
			r := open(t, name)
			defer r.Close()
			wantEnd(t, r)
		})
	}
}

// wantEnd fails unless a listing of the root ends with ErrMalformed, for good.
func wantEnd(t *testing.T, r remote.Remote) {
	t.Helper()
	n := 0
	for _, err := range r.List(t.Context(), ".") {
		if err != nil {
			if !errors.Is(err, remote.ErrMalformed) || !remote.Permanent(err) {
				t.Errorf("after %d entries it fails with %v", n, err)
			}
			return
		}
		if n++; n > 2*EndlessEntries {
			t.Fatalf("%d entries are listed, and there is no end", n)
		}
	}
	t.Errorf("it ends after %d entries, without an error", n)
}

// RunEndlessPages checks the same of a server that lists pages for ever on which there is nothing.
func RunEndlessPages(t *testing.T, open func(t *testing.T) remote.Remote) {
	t.Helper()
	t.Run("pages that are empty", func(t *testing.T) {
		r := open(t)
		defer r.Close()
		wantEnd(t, r)
	})
}
