package local

import (
	"testing"
	"time"

	"ferry/remote"
)

// A watchedTree counts how often it is asked whether the served directory is still there.
type watchedTree struct {
	openedTree
	looks *int
}

func (t watchedTree) now() (place, error) {
	*t.looks++
	return t.openedTree.now()
}

// Each look is a system call, of which a small upload makes thirty.
func TestUploadLooksTwiceForTheServedDirectory(t *testing.T) {
	looks := 0
	r := openDir(t, t.TempDir(), func(path string, a *access) (openedTree, error) {
		inner, err := openTree(path, a)
		return watchedTree{inner, &looks}, err
	}, Options{})
	put(t, r, "first", "x") // opens the directory
	for _, name := range []string{"new", "first"} {
		looks = 0
		s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: "bob"})
		must(t, err)
		_, err = s.Write([]byte("content"))
		must(t, err)
		_, err = s.Commit(t.Context(), time.Time{})
		must(t, err)
		if looks != 2 { // when it begins, and before it is published
			t.Errorf("the upload of %q looked %d times", name, looks)
		}
	}
}
