package ftp

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// parseChmod reads the argument of SITE CHMOD: three or four octal digits, one space, and the path.
// The set-id and sticky bits are refused, not dropped: a remote stores only permissions.
func parseChmod(arg string) (perm fs.FileMode, path string, err error) {
	digits, path, _ := strings.Cut(arg, " ")
	if len(digits) != 3 && len(digits) != 4 || !isDigits(digits) || path == "" {
		return 0, "", errSyntax
	}
	bits, err := strconv.ParseUint(digits, 8, 16)
	if err != nil || bits > 0o777 {
		return 0, "", errSyntax
	}
	return fs.FileMode(bits), path, nil
}

// parseUtime reads the argument of SITE UTIME in both forms that clients send: "YYYYMMDDhhmm[ss]
// path", and "path atime mtime ctime UTC", of which only the time of modification counts.
func parseUtime(arg string) (mtime time.Time, path string, err error) {
	if path, mtime, isLong := parseLongUtime(arg); isLong {
		return mtime, path, nil
	}
	word, path, _ := strings.Cut(arg, " ")
	mtime, err = parseUtimeStamp(word)
	if err != nil || path == "" {
		return time.Time{}, "", errSyntax
	}
	return mtime, path, nil
}

// parseLongUtime reads the form of five arguments. They are parsed from the end, because the path
// may contain spaces.
func parseLongUtime(arg string) (path string, mtime time.Time, ok bool) {
	path, zone, _ := cutLast(arg)
	if !strings.EqualFold(zone, "UTC") {
		return "", time.Time{}, false
	}
	var stamps [3]time.Time // ctime, mtime, atime
	for i := range stamps {
		var word string
		path, word, _ = cutLast(path)
		var err error
		if stamps[i], err = parseUtimeStamp(word); err != nil {
			return "", time.Time{}, false
		}
	}
	return path, stamps[1], path != ""
}

// cutLast cuts s at its last space.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// parseUtimeStamp reads a time-val whose seconds may be missing.
func parseUtimeStamp(s string) (time.Time, error) {
	if len(s) == timeLayoutLen-2 {
		s += "00"
	}
	return parseTime(s)
}
