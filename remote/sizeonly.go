package remote

import (
	"context"
	"sync/atomic"
)

// A SizeOnly marks calls of Stat that only need the size of a file. In a store that can hold an
// object and a directory of one name, a driver may then describe the object without a request for
// the directory that hides it, and records that by Use. Such an answer is not remembered as that of
// a full Stat. A SizeOnly may be used concurrently; nil means that the caller needs the full
// answer.
type SizeOnly struct{ used atomic.Bool }

// sizeOnlyKey is the context key of a *SizeOnly.
type sizeOnlyKey struct{}

// WithSizeOnly returns a context under which Stat may describe an object that a directory hides.
func WithSizeOnly(ctx context.Context) context.Context {
	return context.WithValue(ctx, sizeOnlyKey{}, new(SizeOnly))
}

// SizeOnlyOf returns the SizeOnly of ctx, or nil.
func SizeOnlyOf(ctx context.Context) *SizeOnly {
	s, _ := ctx.Value(sizeOnlyKey{}).(*SizeOnly)
	return s
}

// Use records that a call did not look for a directory. Drivers call it.
func (s *SizeOnly) Use() { s.used.Store(true) }

// Used reports whether a call did not look for a directory.
func (s *SizeOnly) Used() bool { return s != nil && s.used.Load() }
