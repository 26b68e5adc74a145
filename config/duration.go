package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// DurationOff is the duration that never ends, written "off".
const DurationOff = time.Duration(math.MaxInt64)

const day = 24 * time.Hour

// durationUnits are the suffixes beyond those of Go, largest first. M is a month, m a minute.
var durationUnits = []struct {
	suffix string
	length time.Duration
}{
	{"y", 365 * day},
	{"M", 30 * day},
	{"w", 7 * day},
	{"d", day},
}

// ParseDuration reads what time.ParseDuration reads (1h30m, 250ms), or one number with d, w, M or y
// for days, weeks, months of 30 days and years of 365 days, or a number alone for seconds, or
// "off". A duration that limits something cannot be negative. Dates, which rclone reads as "since
// then", are not supported.
func ParseDuration(s string) (time.Duration, error) {
	if s == "off" {
		return DurationOff, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = parseLongDuration(s)
	}
	if err == nil && d < 0 {
		err = errors.New("a duration cannot be negative")
	}
	if err != nil {
		return 0, err
	}
	return d, nil
}

func parseLongDuration(s string) (time.Duration, error) {
	number, length := s, time.Second
	for _, u := range durationUnits {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			number, length = n, u.length
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || strings.ContainsAny(number, "xXpP_") {
		return 0, errors.New("not a duration: use for example 90s, 5m, 1h30m, 2d, or off")
	}
	if f *= float64(length); math.Abs(f) >= math.MaxInt64 {
		return 0, errors.New("too long for a duration: the longest is 292 years; off means for ever")
	}
	return time.Duration(f), nil
}

// FormatDuration returns the form that ParseDuration reads back: one number of the largest unit
// from a day on, else Go's form.
func FormatDuration(d time.Duration) string {
	if d == DurationOff {
		return "off"
	}
	for _, u := range durationUnits {
		if d >= u.length {
			return strconv.FormatFloat(float64(d)/float64(u.length), 'f', -1, 64) + u.suffix
		}
	}
	return d.String()
}
