package auth

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// pureNumber parses a number of a file of Pure-FTPd. Without one, 0, there is no limit.
func pureNumber(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err
}

// parseNetwork parses an address or a network.
func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// hours are a part of the day, in minutes of the local time, that may go past midnight. The zero
// value is the whole day.
type hours struct{ from, to int }

// parseHours parses HHMM-HHMM.
func parseHours(text string) (hours, error) {
	if text == "" {
		return hours{}, nil
	}
	from, to, found := strings.Cut(text, "-")
	start, ok1 := minutes(from)
	end, ok2 := minutes(to)
	if !found || !ok1 || !ok2 || start == end {
		return hours{}, errors.New("field 18 is no time of the day HHMM-HHMM")
	}
	return hours{start, end}, nil
}

func minutes(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n/100*60 + n%100), err == nil && len(text) == 4 && n <= 2400 && n%100 < 60
}

// include reports whether a time is in that part of the day. The last minute belongs to it.
func (h hours) include(t time.Time) bool {
	t = t.Local()
	now := t.Hour()*60 + t.Minute()
	switch {
	case h == hours{}:
		return true
	case h.from < h.to:
		return h.from <= now && now <= h.to
	}
	return now >= h.from || now <= h.to
}
