package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrSize is the error of a Put whose body does not have the length that PutOptions.Size announced.
var ErrSize = errors.New("content is not as long as announced")

// CheckSize returns nil if got matches announced, a PutOptions.Size, and otherwise an ErrSize.
func CheckSize(got, announced int64) error {
	if announced == 0 || got == announced {
		return nil
	}
	return fmt.Errorf("%w: %d bytes instead of %d", ErrSize, got, announced)
}

// ContextReader returns a reader that reads from r until ctx ends, and then fails with the
// context's cause. It cannot end a Read of r that is already blocked.
func ContextReader(ctx context.Context, r io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return r.Read(p)
	})
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A Described reader knows which content it reads. The readers of Open may be Described if the
// server sends the description together with the content, at no further cost. A read that broke off
// can then be resumed without ever continuing in another version of the file.
type Described interface {
	// Described returns the Entry of the file whose content is read, as Stat would: the size is
	// that of the file, not of the range that is read. false means that nothing is known.
	Described() (Entry, bool)
}

// Describe returns the Entry of the content that r reads, if r is Described.
func Describe(r io.Reader) (Entry, bool) {
	if d, ok := r.(Described); ok {
		return d.Described()
	}
	return Entry{}, false
}

// SameContent reports whether two descriptions of one name are certainly of the same content: by
// version, or if one has none, by size and modification time.
func SameContent(a, b Entry) bool {
	if a.Size >= 0 && b.Size >= 0 && a.Size != b.Size {
		return false
	}
	if a.Version != "" && b.Version != "" {
		return a.Version == b.Version
	}
	return a.Size >= 0 && b.Size >= 0 && !a.ModTime.IsZero() && a.ModTime.Equal(b.ModTime)
}

// ClipLength returns n, the length of a range that starts at off, or -1, which means to the end, if
// off + n overflows.
func ClipLength(off, n int64) int64 {
	if n > math.MaxInt64-off {
		return -1
	}
	return n
}
