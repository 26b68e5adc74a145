package objects

import (
	"context"
	"fmt"
	"strings"

	"ferry/remote"
	"ferry/remote/partname"
)

// Listings leave out keys without a name (see Names), and report it (remote.Omitted).

// maxOdd is how many keys are counted for an error.
const maxOdd = 10_000

// An OddKeysError says that a directory is not removed, because it holds objects that no listing
// shows.
type OddKeysError struct {
	Count int
	More  bool   // there are more
	First string // what is behind the directory in the key of one
}

func (e *OddKeysError) Error() string {
	return fmt.Sprintf("it holds %s cannot be shown, as %q: remove them with another program", e.objects(), e.First)
}

// Hint is what an FTP client is told.
func (e *OddKeysError) Hint() string {
	return fmt.Sprintf("The directory holds %s cannot be shown.", e.objects())
}

func (e *OddKeysError) Unwrap() error { return remote.ErrNotEmpty }

func (e *OddKeysError) objects() string {
	switch {
	case e.More:
		return fmt.Sprintf("more than %d objects whose names", e.Count)
	case e.Count == 1:
		return "an object whose name"
	}
	return fmt.Sprintf("%d objects whose names", e.Count)
}

// whyFull returns the error of removing the directory whose keys begin with inside.Name, which is
// not empty: an OddKeysError where no listing shows what it holds, else remote.ErrNotEmpty.
func (t *Tree) whyFull(ctx context.Context, inside Key) error {
	odd := &OddKeysError{}
	for o, err := range t.store.All(ctx, inside) {
		if err != nil {
			return err
		}
		rest := strings.TrimPrefix(o.Name, inside.Name)
		raw, _, _ := strings.Cut(rest, "/")
		_, shown := t.names.Name(raw)
		switch {
		case rest == "" || partname.Hidden(raw): // the marker, or an upload
			continue
		case shown:
			return remote.ErrNotEmpty
		case odd.Count == maxOdd:
			odd.More = true
			return odd
		case odd.Count == 0:
			odd.First = rest
		}
		odd.Count++
	}
	if odd.Count == 0 {
		return remote.ErrNotEmpty
	}
	return odd
}

// Omit reports that a listing leaves out a key, of which raw is the element in the directory, as no
// name leads there. An element followed by a slash stands for all keys that begin so.
func Omit(ctx context.Context, raw, key string) {
	reason := remote.OmittedEncoding
	if elem := strings.TrimSuffix(raw, "/"); !remote.ValidName(elem) {
		reason = remote.OmittedName
	}
	remote.Omitted(ctx, key, reason)
}
