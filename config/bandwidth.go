package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Bandwidth limits the bytes per second to and from a remote, constantly or by the time of the
// week. The zero value is no limit.
type Bandwidth struct {
	slots []slot // in the order of the week
}

// A slot is a limit from a minute of the week on, counted from Sunday 00:00, until the next one.
type slot struct {
	minute   int
	up, down Size // 0 and SizeOff are no limit
}

// ParseBandwidth reads a rate, which is a size in bytes per second (512 is 512 KiB/s) or off, or
// UP:DOWN for two of them, where up is towards the remote. Or it reads a timetable of entries
// [DAY-]HH:MM,RATE with spaces or semicolons between them: "08:00,512 19:00,10M:off Sat-00:00,off".
// An entry without a day holds for all seven. Before the first entry of the week the last one is
// valid. Of two entries for the same minute the later one is used.
func ParseBandwidth(s string) (Bandwidth, error) {
	if !strings.ContainsAny(s, " ,") {
		up, down, err := parseRates(s)
		if err != nil {
			return Bandwidth{}, err
		}
		return Bandwidth{slots: []slot{{up: up, down: down}}}, nil
	}
	var b Bandwidth
	for entry := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == ';' }) {
		if err := b.add(entry); err != nil {
			return Bandwidth{}, fmt.Errorf("%q: %w", entry, err)
		}
	}
	if b.slots == nil {
		return Bandwidth{}, errors.New("not a bandwidth: use a rate (10M, 1M:off) or a timetable (08:00,512 19:00,off)")
	}
	slices.SortStableFunc(b.slots, func(x, y slot) int { return x.minute - y.minute })
	return b, nil
}

// add reads one entry of a timetable.
func (b *Bandwidth) add(entry string) error {
	when, rates, ok := strings.Cut(entry, ",")
	if !ok {
		return errors.New("not an entry of a timetable: use [DAY-]HH:MM,RATE")
	}
	days := []int{0, 1, 2, 3, 4, 5, 6}
	if name, clock, ok := strings.Cut(when, "-"); ok {
		day, err := parseWeekday(name)
		if err != nil {
			return err
		}
		days, when = []int{day}, clock
	}
	minute, err := parseClock(when)
	if err != nil {
		return err
	}
	up, down, err := parseRates(rates)
	if err != nil {
		return err
	}
	for _, day := range days {
		b.slots = append(b.slots, slot{minute: day*24*60 + minute, up: up, down: down})
	}
	return nil
}

// parseWeekday reads the English name of a day or its first three letters.
func parseWeekday(s string) (int, error) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := day.String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return int(day), nil
		}
	}
	return 0, errors.New("not a day: use Mon, Tue, Wed, Thu, Fri, Sat or Sun")
}

// parseClock reads HH:MM, five characters.
func parseClock(s string) (int, error) {
	if len(s) == 5 && s[2] == ':' {
		hour, errHour := strconv.ParseUint(s[:2], 10, 8)
		minute, errMinute := strconv.ParseUint(s[3:], 10, 8)
		if errHour == nil && errMinute == nil && hour < 24 && minute < 60 {
			return int(hour*60 + minute), nil
		}
	}
	return 0, errors.New("not a time of day: use 00:00 to 23:59")
}

// parseRates reads one size for both directions, or two with a colon between them.
func parseRates(s string) (up, down Size, err error) {
	first, second, two := strings.Cut(s, ":")
	if up, err = ParseSize(first); err != nil || !two {
		return up, up, err
	}
	down, err = ParseSize(second)
	return up, down, err
}

// At returns the limits in bytes per second to and from the remote at t, in the time zone of t. -1
// is no limit.
func (b Bandwidth) At(t time.Time) (up, down int64) {
	if len(b.slots) == 0 {
		return -1, -1
	}
	now := int(t.Weekday())*24*60 + t.Hour()*60 + t.Minute()
	current := b.slots[len(b.slots)-1] // from last week
	for _, s := range b.slots {
		if s.minute > now {
			break
		}
		current = s
	}
	return current.up.limit(), current.down.limit()
}

// limit returns -1 for both forms of no limit.
func (s Size) limit() int64 {
	if s <= 0 {
		return -1
	}
	return int64(s)
}

// String returns the form that ParseBandwidth reads, "off" for the zero value. Rates are rounded as
// Size rounds them.
func (b Bandwidth) String() string {
	switch {
	case len(b.slots) == 0:
		return SizeOff.String()
	case len(b.slots) == 1 && b.slots[0].minute == 0:
		return b.slots[0].rates()
	}
	var entries []string
	for _, s := range b.slots {
		day := time.Weekday(s.minute / (24 * 60)).String()[:3]
		entries = append(entries, fmt.Sprintf("%s-%02d:%02d,%s", day, s.minute/60%24, s.minute%60, s.rates()))
	}
	return strings.Join(entries, " ")
}

func (s slot) rates() string {
	if s.up == s.down {
		return s.up.String()
	}
	return s.up.String() + ":" + s.down.String()
}
