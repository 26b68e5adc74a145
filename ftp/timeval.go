package ftp

import (
	"strings"
	"time"
)

// timeLayoutLen is the length of YYYYMMDDHHMMSS.
const timeLayoutLen = 14

// appendTime appends t as a time-val (RFC 3659, section 2.3): YYYYMMDDHHMMSS in UTC, with
// milliseconds where there are any. The year of t is within 0 and 9999.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append2(b, year/100)
	b = append2(b, year%100)
	b = append2(b, int(month))
	b = append2(b, day)
	b = append2(b, hour)
	b = append2(b, minute)
	b = append2(b, second)
	if ms := t.Nanosecond() / 1e6; ms > 0 {
		b = append(b, '.', byte('0'+ms/100))
		b = append2(b, ms%100)
	}
	return b
}

// append2 appends n as two digits.
func append2(b []byte, n int) []byte {
	return append(b, byte('0'+n/10%10), byte('0'+n%10))
}

// hasTimeval reports whether t is known and can be written as a time-val.
func hasTimeval(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}

// parseTime reads a time-val (RFC 3659, section 2.3): exactly 14 digits that are a date and a time
// of day in UTC, and a fraction of a second after a dot. A leap second becomes the second before
// it.
func parseTime(s string) (time.Time, error) {
	digits, fraction, hasFraction := strings.Cut(s, ".")
	if len(digits) != timeLayoutLen || !isDigits(digits) || !isDigits(fraction) || hasFraction && fraction == "" {
		return time.Time{}, errSyntax
	}
	year, month, day := number(digits[:4]), number(digits[4:6]), number(digits[6:8])
	hour, minute, second := number(digits[8:10]), number(digits[10:12]), number(digits[12:14])
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, errSyntax
	}
	nanos := number((fraction + "000000000")[:9])
	t := time.Date(year, time.Month(month), day, hour, minute, min(second, 59), nanos, time.UTC)
	if t.Day() != day {
		return time.Time{}, errSyntax // the month does not have that day
	}
	return t, nil
}

// number reads at most 9 digits.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// splitMDTM parses the argument of MDTM, which queries the time of a file or, with a time and one
// space before the path, sets it as MFMT does. A file may have such a name: before setting the
// time, the caller checks whether arg as a whole exists.
func splitMDTM(arg string) (t time.Time, path string, isSet bool) {
	word, path, _ := strings.Cut(arg, " ")
	t, err := parseTime(word)
	if err != nil || path == "" {
		return time.Time{}, arg, false
	}
	return t, path, true
}
