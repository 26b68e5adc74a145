package rc

import "context"

// A Bandwidth is an adjustable limit. Its methods may be called concurrently.
type Bandwidth interface {
	// Limits returns the current limits in bytes per second to and from the remote, below 0 for
	// none, and their textual form.
	Limits() (up, down int64, rate string)
	// SetRate changes the limits until the program ends.
	SetRate(rate string) error
}

// BandwidthCalls is core/bwlimit.
func BandwidthCalls(b Bandwidth) []Call {
	return []Call{{Path: "core/bwlimit", Title: "Show or set the bandwidth limit.",
		Run: func(_ context.Context, in Params) (Params, error) { return bandwidth(b, in) },
		Help: "Parameters:\n\n- rate - the new limit: 10M, 1M:100k (to and from the remote), off. Without it, the limit stays.\n\nReturns:\n\n" +
			"- bytesPerSecondTx, bytesPerSecondRx - to and from the remote; -1 is no limit\n- bytesPerSecond - the first of them\n- rate"}}
}

func bandwidth(b Bandwidth, in Params) (Params, error) {
	if in.Has("rate") {
		rate, err := in.String("rate")
		if err != nil {
			return nil, err
		}
		if err := b.SetRate(rate); err != nil {
			return nil, err
		}
	}
	up, down, rate := b.Limits()
	return Params{"bytesPerSecond": up, "bytesPerSecondTx": up, "bytesPerSecondRx": down, "rate": rate}, nil
}
