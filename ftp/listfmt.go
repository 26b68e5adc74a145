package ftp

import (
	"io/fs"
	"strconv"
	"time"
)

const (
	// ls shows the time of day of a file younger than six months, and the year of any other.
	listRecent = 182 * 24 * time.Hour
	// A file may be this much ahead of the local clock, because the clock of the remote runs fast,
	// and still be recent. Clients read a date without a year as the last such date before
	// tomorrow, so this must be well below a day.
	listAhead = time.Hour
)

const monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"

// appendList appends the line of LIST for fi, in the form of ls -l that every client parses: mode,
// links, numeric owner and group, size, date in loc and name, with CRLF. An unknown size is 0, an
// unknown time the one of Dated, else the beginning of 1970. It allocates nothing beyond b, and
// appends nothing for a name that does not fit on a line.
func appendList(b []byte, fi fs.FileInfo, now time.Time, loc *time.Location) []byte {
	name := fi.Name()
	if !showable(name) {
		return b
	}
	b = appendMode(b, fi)
	b = append(b, " 1 "...)
	var uid, gid uint32
	if o, isOwned := fi.(Owned); isOwned {
		uid, gid = o.Owner()
	}
	b = appendPadded(b, int64(uid), 5)
	b = append(b, ' ')
	b = appendPadded(b, int64(gid), 5)
	b = append(b, ' ')
	b = appendPadded(b, max(fi.Size(), 0), 12)
	b = append(b, ' ')
	t := fi.ModTime()
	if d, isDated := fi.(Dated); t.IsZero() && isDated {
		t = d.ListTime()
	}
	b = appendListDate(b, t, now, loc)
	b = append(b, ' ')
	b = append(b, name...)
	return append(b, '\r', '\n')
}

// appendMode appends the ten letters of the mode.
func appendMode(b []byte, fi fs.FileInfo) []byte {
	kind := byte('-')
	if fi.IsDir() {
		kind = 'd'
	}
	b = append(b, kind)
	perm := fi.Mode().Perm()
	for bit := 8; bit >= 0; bit-- {
		letter := byte('-')
		if perm&(1<<bit) != 0 {
			letter = "xwr"[bit%3]
		}
		b = append(b, letter)
	}
	return b
}

// appendPadded appends n, which is not negative, right-aligned in width columns.
func appendPadded(b []byte, n int64, width int) []byte {
	start := len(b)
	b = append(b, "            "[:width]...)
	var digits [20]byte
	s := strconv.AppendInt(digits[:0], n, 10)
	if len(s) > width {
		return append(b[:start], s...)
	}
	copy(b[len(b)-len(s):], s)
	return b
}

// appendListDate appends twelve columns: "Jan _2 15:04" for a recent time, else "Jan _2  2006".
func appendListDate(b []byte, t, now time.Time, loc *time.Location) []byte {
	unknown := t.IsZero()
	t = t.In(loc)
	year, month, day := t.Date()
	if unknown || year < 0 || year > 9999 {
		year, month, day = 1970, time.January, 1
	}
	b = append(b, monthNames[month*3-3:month*3]...)
	b = append(b, ' ')
	b = appendPadded(b, int64(day), 2)
	b = append(b, ' ')
	if age := now.Sub(t); age < listRecent && age >= -listAhead {
		hour, minute, _ := t.Clock()
		b = append2(b, hour)
		b = append(b, ':')
		return append2(b, minute)
	}
	b = append(b, ' ')
	b = append2(b, year/100)
	return append2(b, year%100)
}
