package union

import (
	"context"
	"errors"

	"ferry/remote"
)

// SweepParts implements remote.PartSweeper. Upstreams that are none, and those that may not be
// changed, are passed over; where all are, it is ErrUnsupported.
func (r *Remote) SweepParts(ctx context.Context) error {
	var errs error
	swept := false
	for _, u := range r.ups {
		if u.readOnly() {
			continue
		}
		err := remote.SweepParts(ctx, u.Remote)
		switch {
		case errors.Is(err, remote.ErrUnsupported):
			continue
		case ctx.Err() != nil:
			return remote.Renamed("sweepparts", ".", context.Cause(ctx))
		case err != nil:
			errs = errors.Join(errs, u.fail(err))
		}
		swept = true
	}
	if !swept {
		errs = remote.ErrUnsupported
	}
	return remote.Renamed("sweepparts", ".", errs)
}
