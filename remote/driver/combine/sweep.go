package combine

import (
	"context"
	"errors"

	"ferry/remote"
)

// SweepParts implements remote.PartSweeper. Upstreams that are none are passed over; where all are,
// it is ErrUnsupported.
func (r *Remote) SweepParts(ctx context.Context) error {
	var errs error
	unsupported := 0
	for i := range r.upstreams {
		up := &r.upstreams[i]
		err := remote.SweepParts(ctx, up.Remote)
		switch {
		case errors.Is(err, remote.ErrUnsupported):
			unsupported++
		case ctx.Err() != nil:
			return remote.Renamed("sweepparts", ".", context.Cause(ctx))
		case err != nil:
			errs = errors.Join(errs, remote.Renamed("sweepparts", up.Dir, err))
		}
	}
	if unsupported == len(r.upstreams) {
		return remote.Renamed("sweepparts", ".", remote.ErrUnsupported)
	}
	return errs
}
