package ftp

import (
	"strconv"
	"strings"
	"time"

	"ferry/remote"
)

// timeVal is the form of times in facts and replies (RFC 3659 section 2.3), in UTC. A fraction may
// follow.
const timeVal = "20060102150405"

// parseFacts reads a line of MLSD (RFC 3659 section 7.2).
func parseFacts(line string) (e remote.Entry, what reading) {
	facts, name, found := strings.Cut(line, " ")
	if !found || name == "" {
		return e, isUnknown
	}
	e = remote.Entry{Name: name, Size: -1}
	for fact := range strings.SplitSeq(facts, ";") {
		key, value, _ := strings.Cut(fact, "=")
		switch strings.ToLower(key) {
		case "type":
			switch strings.ToLower(value) {
			case "dir":
				e.Dir, what = true, isEntry
			case "file":
				what = isEntry
			default:
				what = isOther
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
	return e, what
}

// halfYear is the age from which on ls -l shows the year in place of the time.
const halfYear = 365 * 24 * time.Hour / 2

// asListed returns t as exactly as LIST shows it.
func asListed(t, now time.Time) time.Time {
	if age := now.Sub(t); age > halfYear || age < -time.Hour {
		return t.Truncate(24 * time.Hour)
	}
	return t.Truncate(time.Minute)
}
