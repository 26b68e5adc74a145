package remote

import (
	"context"
	"sync/atomic"
)

// A SizeOnly stands for a caller of Stat who wants the size of a file. In a store that can hold an
// object and a directory of one name, a driver may then describe the object without asking for the
// directory that hides it, and notes that. Such an answer is not remembered as that of a full Stat.
// It may be used concurrently; nil stands for a caller who wants all.
type SizeOnly struct{ used atomic.Bool }

// sizeOnlyKey is that of a *SizeOnly in the values of a context.
type sizeOnlyKey struct{}

// WithSizeOnly returns a context under which Stat may describe an object that a directory hides.
func WithSizeOnly(ctx context.Context) context.Context {
	return context.WithValue(ctx, sizeOnlyKey{}, new(SizeOnly))
}

// SizeOnlyOf returns the SizeOnly of ctx, nil if there is none.
func SizeOnlyOf(ctx context.Context) *SizeOnly {
	s, _ := ctx.Value(sizeOnlyKey{}).(*SizeOnly)
	return s
}

// Use notes that a call has not asked for a directory. Drivers call it.
func (s *SizeOnly) Use() { s.used.Store(true) }

// Used reports whether a call has not asked for a directory.
func (s *SizeOnly) Used() bool { return s != nil && s.used.Load() }
