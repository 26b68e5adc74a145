package users

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Hours are the times at which somebody may log in. Without spans that is always.
type Hours struct {
	Spans []Span
	Zone  *time.Location // nil = that of this machine
}

// A Span is a part of some days. To may be past midnight, in minutes from that of the same day.
type Span struct {
	Days     [7]bool // Sunday first, as in time.Weekday
	From, To int     // minutes
}

const fullDay = 24 * 60

// Open reports whether t is within the hours.
func (h Hours) Open(t time.Time) bool {
	if len(h.Spans) == 0 {
		return true
	}
	if h.Zone != nil {
		t = t.In(h.Zone)
	} else {
		t = t.Local()
	}
	now, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	yesterday := (day + 6) % 7
	return slices.ContainsFunc(h.Spans, func(s Span) bool {
		return s.Days[day] && s.From <= now && now < s.To || s.Days[yesterday] && now+fullDay < s.To
	})
}

// parseSpan reads "Mon-Fri 08:00-18:00", "Sat,Sun 22:00-06:00", or times alone for every day.
func parseSpan(s string) (Span, error) {
	bad := fmt.Errorf(`%q is not a time of the week: write for example "Mon-Fri 08:00-18:00", or "22:00-06:00" for every day`, s)
	days, times, found := strings.Cut(strings.TrimSpace(s), " ")
	if !found {
		days, times = "Sun-Sat", days
	}
	var span Span
	for part := range strings.SplitSeq(days, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return Span{}, bad
		}
		for d := from; ; d = (d + 1) % 7 {
			if span.Days[d] = true; d == to {
				break
			}
		}
	}
	first, last, _ := strings.Cut(strings.TrimSpace(times), "-")
	from, ok := minutes(first)
	to, ok2 := minutes(last)
	if !ok || !ok2 || from == to || from == fullDay {
		return Span{}, bad
	}
	if to < from {
		to += fullDay
	}
	span.From, span.To = from, to
	return span, nil
}

// weekday reads "Mon" or "Monday"; it is -1 for anything else.
func weekday(s string) int {
	for d := range 7 {
		if name := time.Weekday(d).String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return d
		}
	}
	return -1
}

// minutes reads 08:00; 24:00 is the end of the day.
func minutes(s string) (int, bool) {
	if s == "24:00" {
		return fullDay, true
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil
}

// String writes the span as parseSpan reads it.
func (s Span) String() string {
	var days []string
	for _, d := range []int{1, 2, 3, 4, 5, 6, 0} {
		if s.Days[d] {
			days = append(days, time.Weekday(d).String()[:3])
		}
	}
	to := s.To
	if to > fullDay {
		to -= fullDay
	}
	text := fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, to/60, to%60)
	if len(days) == 7 {
		return text
	}
	return strings.Join(days, ",") + " " + text
}
