package ftpclient

import (
	"strconv"
	"strings"
	"time"

	"ferry/remote"
)

// timeVal is the form of times in facts and replies (RFC 3659 section 2.3), in UTC. A fraction may follow.
const timeVal = "20060102150405"

// parseFacts reads a line of MLSD (RFC 3659 section 7.2). What is neither a file nor a directory in this one is not ok.
func parseFacts(line string) (e remote.Entry, ok bool) {
	facts, name, found := strings.Cut(line, " ")
	if !found || name == "" {
		return e, false
	}
	e = remote.Entry{Name: name, Size: -1}
	for fact := range strings.SplitSeq(facts, ";") {
		key, value, _ := strings.Cut(fact, "=")
		switch strings.ToLower(key) {
		case "type":
			switch strings.ToLower(value) {
			case "dir":
				e.Dir, ok = true, true
			case "file":
				ok = true
			}
		case "size":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				e.Size = n
			}
		case "modify":
			if t, err := time.Parse(timeVal, value); err == nil {
				e.ModTime = t
			}
		}
	}
	if e.Dir {
		e.Size = 0
	}
	return e, ok
}

// parseList reads a line of LIST, which every server is free to write as it likes: most do as ls -l does, and some as
// DIR of Windows. The times are taken for UTC.
func parseList(line string, now time.Time) (e remote.Entry, ok bool) {
	if len(line) > 0 && line[0] >= '0' && line[0] <= '9' {
		return parseDir(line)
	}
	if len(line) < 10 || line[0] != '-' && line[0] != 'd' {
		return e, false // a link, a device, or "total 12"
	}
	e.Dir = line[0] == 'd'
	rest := line
	var fields [8]string // mode, links, owner, group, size, month, day, time or year
	for i := range fields {
		rest = strings.TrimLeft(rest, " ")
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			return e, false
		}
		fields[i], rest = rest[:end], rest[end:]
	}
	e.Name = rest[1:] // one blank, and the name may begin with another
	size, err := strconv.ParseInt(fields[4], 10, 64)
	t, timeOK := listTime(fields[5], fields[6], fields[7], now)
	if err != nil || size < 0 || !timeOK || e.Name == "" {
		return e, false
	}
	e.ModTime = t
	if !e.Dir {
		e.Size = size
	}
	return e, true
}

// halfYear is the age from which on ls -l shows the year in place of the time.
const halfYear = 365 * 24 * time.Hour / 2

// listTime reads the time of ls -l: "Nov 22 13:01" in the last half year, else "Nov 22  2019".
func listTime(month, day, clock string, now time.Time) (time.Time, bool) {
	if !strings.Contains(clock, ":") {
		t, err := time.Parse("Jan 2 2006", month+" "+day+" "+clock)
		return t, err == nil
	}
	now = now.UTC()
	t, err := time.Parse("2006 Jan 2 15:04", strconv.Itoa(now.Year())+" "+month+" "+day+" "+clock)
	if err != nil { // the 29th of February of another year
		t, err = time.Parse("2006 Jan 2 15:04", strconv.Itoa(now.Year()-1)+" "+month+" "+day+" "+clock)
		return t, err == nil
	}
	if t.After(now.Add(24 * time.Hour)) { // in time zones ahead of this one it may be tomorrow
		t = t.AddDate(-1, 0, 0)
	}
	return t, true
}

// asListed returns t as exactly as LIST shows it.
func asListed(t, now time.Time) time.Time {
	if age := now.Sub(t); age > halfYear || age < -time.Hour {
		return t.Truncate(24 * time.Hour)
	}
	return t.Truncate(time.Minute)
}

// parseDir reads a line as DIR of Windows writes it: "11-22-26  01:01PM  <DIR>  name".
func parseDir(line string) (e remote.Entry, ok bool) {
	day, rest, _ := strings.Cut(line, " ")
	clock, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	size, name, found := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if !found {
		return e, false
	}
	for _, form := range []string{"01-02-06 03:04PM", "01-02-2006 03:04PM", "01-02-06 15:04", "2006-01-02 15:04"} {
		t, err := time.Parse(form, day+" "+clock)
		if err != nil {
			continue
		}
		e.ModTime = t
		if size == "<DIR>" {
			e.Dir, e.Name = true, strings.TrimLeft(name, " ")
			return e, e.Name != ""
		}
		e.Name = name
		e.Size, err = strconv.ParseInt(size, 10, 64)
		return e, err == nil && e.Size >= 0 && name != ""
	}
	return e, false
}
