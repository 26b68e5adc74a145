package ftp

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// listTime reads the time at the beginning of fields, in any of the forms that ls -l has, and
// returns how many words that are; 0 = there is none. Without a year the time is of the last twelve
// months.
func listTime(fields []field, now time.Time) (t time.Time, n int) {
	if len(fields) == 0 {
		return t, 0
	}
	if c := fields[0].text[0]; c >= '0' && c <= '9' {
		if t, n = isoTime(fields, now); n > 0 {
			return t, n
		}
	}
	if len(fields) < 3 {
		return t, 0
	}
	a, b, c := fields[0].text, fields[1].text, fields[2].text
	if month := monthOf(a); month > 0 {
		return dayTime(month, b, fields[2:], now, 2)
	}
	if month := monthOf(b); month > 0 {
		if year := yearOf(a); year > 0 {
			return timeOf(year, month, dayOf(c), time.Time{}, 3)
		}
		return dayTime(month, a, fields[2:], now, 2)
	}
	return t, 0
}

// dayTime reads what follows a month and a day: a time of day, which may be followed by the year,
// or the year.
func dayTime(month time.Month, day string, rest []field, now time.Time, n int) (time.Time, int) {
	clock, ok := clockOf(rest[0].text)
	switch {
	case !ok:
		return timeOf(yearOf(rest[0].text), month, dayOf(day), clock, n+1)
	case strings.Count(rest[0].text, ":") == 2 && len(rest) > 1 && yearOf(rest[1].text) > 0:
		return timeOf(yearOf(rest[1].text), month, dayOf(day), clock, n+2)
	}
	return recent(month, dayOf(day), clock, now, n+1)
}

// recent returns the latest such time that is not in the future.
func recent(month time.Month, day int, clock, now time.Time, n int) (t time.Time, used int) {
	now = now.UTC()
	// A day that only leap years have may be some years ago.
	for year := now.Year() + 1; year > now.Year()-8; year-- {
		t, used = timeOf(year, month, day, clock, n)
		// In time zones ahead of this one it may be tomorrow.
		if used > 0 && !t.After(now.Add(24*time.Hour)) {
			return t, used
		}
	}
	return time.Time{}, 0
}

// isoTime reads "2006-01-02 15:04", with more behind it and with slashes as well, "2006-01-02" and
// "01-02 15:04".
func isoTime(fields []field, now time.Time) (t time.Time, n int) {
	var parts [3]int
	count := dateParts(fields[0].text, &parts)
	clock, hasClock := time.Time{}, false
	if len(fields) > 1 {
		clock, hasClock = clockOf(fields[1].text)
	}
	switch {
	case count == 2 && hasClock:
		return recent(time.Month(parts[0]), parts[1], clock, now, 2)
	case count != 3 || parts[0] < 1000:
		return t, 0
	case !hasClock:
		return timeOf(parts[0], time.Month(parts[1]), parts[2], clock, 1)
	}
	t, n = timeOf(parts[0], time.Month(parts[1]), parts[2], clock, 2)
	if n > 0 && len(fields) > 2 {
		if zone, err := time.Parse("-0700", fields[2].text); err == nil {
			_, offset := zone.Zone()
			return t.Add(-time.Duration(offset) * time.Second), 3
		}
	}
	return t, n
}

// dirTime reads the date and the time of day at the beginning of a line of DIR. Where nothing tells
// the day from the month, the time is unknown.
func dirTime(fields []field) (t time.Time, n int) {
	if len(fields) < 2 {
		return t, 0
	}
	date, n := fields[0].text, 2
	word := fields[1].text
	if len(fields) > 2 && (fields[2].text == "AM" || fields[2].text == "PM") {
		word, n = word+fields[2].text, 3
	}
	clock, ok := clockOf(word)
	var p [3]int
	if !ok || dateParts(date, &p) != 3 {
		return t, 0
	}
	year, month, day := p[2], p[0], p[1]
	switch {
	case p[0] >= 1000:
		year, month, day = p[0], p[1], p[2]
	case p[0] > 12, strings.Contains(date, "."):
		month, day = p[1], p[0]
	case strings.Contains(date, "/") && p[1] <= 12 && p[0] != p[1]:
		_, n = timeOf(2000, time.Month(month), day, clock, n)
		return time.Time{}, n
	}
	if year < 100 {
		year += 1900
		if year < 1970 {
			year += 100
		}
	}
	return timeOf(year, time.Month(month), day, clock, n)
}

// timeOf returns a time of which all is known, and n; 0 if there is no such day.
func timeOf(year int, month time.Month, day int, clock time.Time, n int) (time.Time, int) {
	h, m, s := clock.Clock()
	t := time.Date(year, month, day, h, m, s, 0, time.UTC)
	if year < 1 || t.Year() != year || t.Month() != month || t.Day() != day {
		return time.Time{}, 0
	}
	return t, n
}

// dateParts reads numbers with one of "-/." between them, and returns how many there are; 0 if s is
// anything else.
func dateParts(s string, parts *[3]int) int {
	sep := strings.IndexAny(s, "-/.")
	if sep < 0 || len(s) > len("2006-01-02") {
		return 0
	}
	n := 0
	for part := range strings.SplitSeq(s, s[sep:sep+1]) {
		number, err := strconv.ParseUint(part, 10, 14)
		if err != nil || n == len(parts) {
			return 0
		}
		parts[n] = int(number)
		n++
	}
	return n
}

// clockOf reads a time of day.
func clockOf(s string) (time.Time, bool) {
	if !strings.Contains(s, ":") {
		return time.Time{}, false
	}
	for _, form := range []string{"15:04", "15:04:05", "03:04PM", "3:04PM", "03:04:05PM"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// yearOf reads a year of four digits; 0 = it is none.
func yearOf(s string) int {
	s = strings.TrimSuffix(s, "年")
	if len(s) != 4 {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 14)
	if err != nil {
		return 0
	}
	return int(n)
}

// dayOf reads the day of a month; 0 = it is none.
func dayOf(s string) int {
	for _, end := range []string{".", ",", "日", "일"} {
		s = strings.TrimSuffix(s, end)
	}
	n, err := strconv.ParseUint(s, 10, 5)
	if err != nil {
		return 0
	}
	return int(n)
}

// monthOf reads the name of a month, as the locales of glibc and the servers of Windows write it; 0
// = it is none.
func monthOf(s string) time.Month {
	if len(s) > 20 {
		return 0
	}
	if !utf8.ValidString(s) { // then it is Latin-1, of which every byte is a character
		var latin []rune
		for _, b := range []byte(s) {
			latin = append(latin, rune(b))
		}
		s = string(latin)
	}
	s = strings.ToLower(strings.TrimRight(s, ".,"))
	for _, end := range []string{"月", "월"} {
		if digits, ok := strings.CutSuffix(s, end); ok {
			if n, err := strconv.ParseUint(digits, 10, 4); err == nil && n <= 12 {
				return time.Month(n)
			}
		}
	}
	return monthNamed(s)
}

// monthNamed knows English, German, Dutch, the Scandinavian languages, French, Spanish, Catalan,
// Portuguese, Italian, Romanian, Polish, Czech, Hungarian, Finnish, Turkish, Russian and Ukrainian.
func monthNamed(s string) time.Month {
	switch s {
	case "jan", "january", "jän", "januar", "janv", "ene", "gen", "ian", "sty", "led", "tammi", "oca", "янв", "січ":
		return time.January
	case "feb", "february", "februar", "févr", "fév", "fevr", "fev", "febr", "lut", "úno", "helmi", "şub", "фев", "февр", "лют":
		return time.February
	case "mar", "march", "mär", "märz", "mrz", "mrt", "mars", "març", "márc", "bře", "maalis", "мар", "марта", "бер":
		return time.March
	case "apr", "april", "avr", "avril", "abr", "kwi", "dub", "ápr", "huhti", "nis", "апр", "кві":
		return time.April
	case "may", "mai", "mei", "maj", "mag", "maig", "kvě", "máj", "touko", "мая", "май", "тра":
		return time.May
	case "jun", "june", "juni", "juin", "giu", "juny", "iun", "cze", "čen", "jún", "kesä", "haz", "июн", "июня", "чер":
		return time.June
	case "jul", "july", "juli", "juil", "lug", "iul", "lip", "čec", "júl", "heinä", "tem", "июл", "июля", "лип":
		return time.July
	case "aug", "august", "août", "aout", "aoû", "ago", "ag", "sie", "srp", "elo", "ağu", "авг", "сер":
		return time.August
	case "sep", "sept", "september", "set", "wrz", "zář", "szept", "syys", "eyl", "сен", "сент", "вер":
		return time.September
	case "oct", "october", "okt", "oktober", "ott", "out", "paź", "říj", "loka", "eki", "окт", "жов":
		return time.October
	case "nov", "november", "noi", "lis", "marras", "kas", "ноя", "нояб", "лис":
		return time.November
	case "dec", "december", "dez", "dezember", "des", "déc", "dic", "gru", "pro", "joulu", "ara", "дек", "гру":
		return time.December
	}
	return 0
}
