package remote

import "context"

// A PartSweeper finds unfinished uploads by itself. Otherwise one that is too old is removed only
// when its directory is listed.
type PartSweeper interface {
	// SweepParts removes the unfinished uploads that are too old to be continued, wherever they
	// are. It works slowly, so as not to disturb other calls, and ends early with the cause of ctx.
	// Directories that cannot be read are skipped, except the root.
	SweepParts(ctx context.Context) error
}

// SweepParts removes the unfinished uploads in r that are too old, or returns ErrUnsupported if
// that would cost requests for each directory.
func SweepParts(ctx context.Context, r Remote) error {
	if s, ok := ability[PartSweeper](r); ok {
		return s.SweepParts(ctx)
	}
	return unsupported("sweepparts", ".")
}

// SweepParts implements PartSweeper.
func (f Forward) SweepParts(ctx context.Context) error {
	if s, ok := f.Remote.(PartSweeper); ok {
		return s.SweepParts(ctx)
	}
	return unsupported("sweepparts", ".")
}
