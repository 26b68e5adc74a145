package rc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// pollTimeout is how long to wait for a change of the poll interval.
const pollTimeout = 10 * time.Second

// pollInterval returns how often t polls its remote for changes, after setting a new interval if
// there is one.
func pollInterval(ctx context.Context, t Tree, in Params) (Params, error) {
	interval, change, err := takeDuration(in, "interval", 0)
	if err != nil {
		return nil, err
	}
	timeout, _, err := takeDuration(in, "timeout", pollTimeout)
	if err != nil {
		return nil, err
	}
	if left := slices.Sorted(maps.Keys(in)); len(left) > 0 {
		return nil, fmt.Errorf("invalid parameter: %s=%v", left[0], in[left[0]])
	}
	p, ok := t.(Poller)
	if !ok {
		return nil, errNoPolling
	}
	if _, err := p.PollInterval(); err != nil {
		return nil, errNoPolling
	}
	out := Params{}
	if change {
		late, err := setPollInterval(ctx, p, interval, timeout)
		if err != nil {
			return nil, err
		}
		out["timeout"] = late
	}
	d, err := p.PollInterval()
	if err != nil {
		return nil, errNoPolling
	}
	out["enabled"] = d > 0
	out["supported"] = true
	out["interval"] = Params{"raw": d.Nanoseconds(), "seconds": int64(d / time.Second), "string": d.String()}
	return out, nil
}

// setPollInterval reports whether the change timed out.
func setPollInterval(ctx context.Context, p Poller, d, timeout time.Duration) (late bool, err error) {
	wait := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	err = p.SetPollInterval(wait, d)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return true, nil
	}
	return false, err
}

// takeDuration removes key from in and returns its duration; def if there is none.
func takeDuration(in Params, key string, def time.Duration) (d time.Duration, there bool, err error) {
	if !in.Has(key) {
		return def, false, nil
	}
	text, ok := in[key].(string)
	if !ok {
		return 0, false, fmt.Errorf("value must be string %q=%v", key, in[key])
	}
	delete(in, key)
	if d, err = parseDuration(text); err != nil {
		return 0, false, fmt.Errorf("parse duration: %w", err)
	}
	if d < 0 {
		return 0, false, badParam("%s %q is below 0", key, text)
	}
	return d, true, nil
}

// parseDuration reads 1m30s, or a number of seconds.
func parseDuration(text string) (time.Duration, error) {
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 && s <= 1e9 {
		return time.Duration(s * float64(time.Second)), nil
	}
	return time.ParseDuration(text)
}
