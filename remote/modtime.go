package remote

import (
	"errors"
	"time"
)

// Times between these fit both 32 bits of seconds since 1970 and FAT in any time zone.
var (
	firstCommon = time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC)
	lastCommon  = time.Date(2038, 1, 18, 0, 0, 0, 0, time.UTC)
)

// CommonTime reports whether every storage that keeps modification times keeps t.
func CommonTime(t time.Time) bool { return !t.Before(firstCommon) && t.Before(lastCommon) }

// AttemptTime sets the time of a file to t by set, for a server that may silently keep another
// time. get returns the time that was kept. If it is more than grain away from t, the error is
// ErrInvalid, and the file gets its old time back.
func AttemptTime(t time.Time, grain time.Duration, get func() (time.Time, error), set func(time.Time) error) error {
	if CommonTime(t) {
		return set(t)
	}
	old, err := get()
	if err != nil {
		return err
	}
	if err := set(t); err != nil {
		return err
	}
	kept, err := get()
	if err != nil || kept.Sub(t).Abs() <= grain {
		return err
	}
	err = ErrInvalid
	if !old.IsZero() {
		err = errors.Join(err, set(old))
	}
	return err
}
