package remote

import "context"

// A PartSweeper finds unfinished uploads by itself. Otherwise one that is too old goes when
// somebody comes across it, and stays in a directory that nobody lists.
type PartSweeper interface {
	// SweepParts removes the unfinished uploads that are too old to be continued, wherever they
	// are. It takes its time, so that others hardly notice, and ends early with the cause of ctx.
	// What cannot be looked at is passed over, but for the root.
	SweepParts(ctx context.Context) error
}

// SweepParts removes the unfinished uploads in r that are too old, or returns ErrUnsupported where
// that would cost requests.
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
