package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrSize is what Put fails with when its body has another length than PutOptions.Size announced.
var ErrSize = errors.New("content is not as long as announced")

// CheckSize returns nil when got bytes are what PutOptions.Size announced, and otherwise an ErrSize.
func CheckSize(got, announced int64) error {
	if announced == 0 || got == announced {
		return nil
	}
	return fmt.Errorf("%w: %d bytes instead of %d", ErrSize, got, announced)
}

// ContextReader returns a reader that reads from r until ctx ends, and then fails with the context's cause. It cannot
// end a Read of r that is already blocked.
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
