package ftp

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ferry/remote"
)

// A reading is what a line of a listing turned out to be.
type reading uint8

const (
	isUnknown reading = iota // it is not understood
	isEntry                  // a file or a directory
	isOther                  // something else that has a name: a link, a device, the directory itself
	isNothing                // no entry: how much there is in all
)

// A grammar is one of the forms that a line of LIST can have. It says isUnknown of a line of
// another form.
type grammar func(line string, now time.Time) (remote.Entry, reading)

// parseList reads a line of LIST, which every server is free to write as it likes (RFC 959 section
// 4.1.3): most do as ls -l does, some as DIR of Windows. The forms exclude each other by how a line
// begins. Times are taken for UTC.
func parseList(line string, now time.Time) (e remote.Entry, what reading) {
	for _, read := range []grammar{parseUnix, parseNetWare, parseDir, parseEPLF} {
		e, what = read(line, now)
		if what == isEntry && e.Name == "" {
			what = isUnknown
		}
		if what != isUnknown {
			break
		}
	}
	switch {
	case what == isUnknown && isTotal(line):
		return remote.Entry{}, isNothing
	case what != isEntry:
		return remote.Entry{}, what
	}
	if e.Dir {
		e.Size = 0
	}
	return e, isEntry
}

// isTotal reports whether the line is the first one of ls -l, in any language: "total 12".
func isTotal(line string) bool {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return len(fields) == 0
	}
	word, n := fields[0], fields[1]
	return n[0] >= '0' && n[0] <= '9' && strings.Trim(n, "0123456789.,KMGT") == "" && !strings.ContainsAny(word, "0123456789./")
}

// A field is a word of a line.
type field struct {
	text string
	end  int // where it ends in the line
}

// maxFields is how many words of a line are looked at. A name may have any number of them.
const maxFields = 24

// fieldsOf returns the words of a line from byte off on.
func fieldsOf(line string, off int) []field {
	var list []field
	for len(list) < maxFields {
		for off < len(line) && line[off] == ' ' {
			off++
		}
		if off == len(line) {
			break
		}
		end := off
		for end < len(line) && line[end] != ' ' {
			end++
		}
		list = append(list, field{line[off:end], end})
		off = end
	}
	return list
}

// parseUnix reads what ls -l writes, and what servers write that are not that exact about it: the
// links, the owner or the group may be missing, and names of groups may hold blanks. What is sure
// is the time, and the size in front of it.
func parseUnix(line string, now time.Time) (e remote.Entry, what reading) {
	if len(line) < 11 || !strings.ContainsRune("-dlbcpsDP", rune(line[0])) || strings.Trim(line[1:10], "rwxsStTlL-") != "" {
		return e, isUnknown
	}
	if line[0] != '-' && line[0] != 'd' {
		return e, isOther
	}
	fields := fieldsOf(line, 10)
	if line[10] != ' ' { // there are access rights besides, or the number of links has so many digits
		fields = fields[1:]
	}
	t, found := findTime(line, fields, now)
	if !found {
		return e, isUnknown
	}
	dir := line[0] == 'd' || fields[0].text == "folder"
	return remote.Entry{Name: t.name, Size: parseSize(t.size), ModTime: t.time, Dir: dir}, isEntry
}

// sizePlaces are where the size is among the words behind the mode, most likely ones first: behind
// links, owner and group; without the group; with one that has blanks; with one word only; with a
// group of more words; alone.
func sizePlaces() []int { return []int{3, 2, 4, 1, 5, 6, 7, 8, 9, 10, 0} }

// What stands around the time in a line.
type timed struct {
	size string // the word in front of it
	time time.Time
	name string // what follows: one blank is left out, and the name may begin with another
}

// findTime looks for the time, with the size in front of it. A line without a size has something
// else there.
func findTime(line string, fields []field, now time.Time) (found timed, ok bool) {
	for _, strict := range []bool{true, false} {
		for _, i := range sizePlaces() {
			if i >= len(fields) || strict != isSize(fields[i].text) {
				continue
			}
			t, n := listTime(fields[i+1:], now)
			if n == 0 {
				continue
			}
			last := fields[i+n]
			name := strings.TrimPrefix(line[last.end:], " ")
			if strings.Count(last.text, "-") == 2 { // a date alone is as wide as one with a time
				name = strings.TrimPrefix(name, " ")
			}
			return timed{fields[i].text, t, name}, true
		}
	}
	return timed{}, false
}

// isSize reports whether s is a number of bytes, -1 included.
func isSize(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789.,") == "" && digits[0] >= '0' && digits[0] <= '9'
}

// parseSize reads a number of bytes, in which thousands may be set apart. What is none is unknown:
// -1.
func parseSize(s string) int64 {
	if groups := strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == '.' }); len(groups) > 1 {
		for _, g := range groups[1:] {
			if len(g) != 3 {
				return -1
			}
		}
		s = strings.Join(groups, "")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 {
		return -1
	}
	return n
}

// parseNetWare reads "d [R----F--] owner  512  Jan 16 18:53  name".
func parseNetWare(line string, now time.Time) (e remote.Entry, what reading) {
	if line == "" || line[0] != '-' && line[0] != 'd' {
		return e, isUnknown
	}
	rights := strings.TrimLeft(line[1:], " ")
	if len(rights) < 11 || rights[0] != '[' || rights[9] != ']' {
		return e, isUnknown
	}
	t, found := findTime(line, fieldsOf(line, len(line)-len(rights)+10), now)
	if !found {
		return e, isUnknown
	}
	return remote.Entry{Name: strings.TrimLeft(t.name, " "), Size: parseSize(t.size), ModTime: t.time, Dir: line[0] == 'd'}, isEntry
}

// parseDir reads a line as DIR of Windows and IIS write it: "11-22-26  01:01PM  <DIR>  name".
func parseDir(line string, _ time.Time) (e remote.Entry, what reading) {
	if line == "" || line[0] < '0' || line[0] > '9' {
		return e, isUnknown
	}
	fields := fieldsOf(line, 0)
	t, n := dirTime(fields)
	if n == 0 || len(fields) <= n {
		return e, isUnknown
	}
	e.ModTime = t
	size := fields[n]
	name := line[size.end:]
	switch size.text {
	case "<DIR>", "<JUNCTION>":
		e.Dir, e.Name = true, strings.TrimLeft(name, " ")
	case "<SYMLINK>", "<SYMLINKD>":
		return e, isOther
	default:
		if !isSize(size.text) {
			return e, isUnknown
		}
		e.Size, e.Name = parseSize(size.text), strings.TrimPrefix(name, " ")
	}
	return e, isEntry
}

// parseEPLF reads a line of the Easily Parsed LIST Format (draft-bernstein-eplf-05):
// "+m825718503,r,s280,\tname".
func parseEPLF(line string, _ time.Time) (e remote.Entry, what reading) {
	facts, name, found := strings.Cut(line, "\t")
	if !found || name == "" || facts[:min(1, len(facts))] != "+" {
		return e, isUnknown
	}
	e = remote.Entry{Name: name, Size: -1}
	what = isOther
	for fact := range strings.SplitSeq(facts[1:], ",") {
		switch {
		case fact == "/":
			e.Dir, what = true, isEntry
		case fact == "r":
			what = isEntry
		case strings.HasPrefix(fact, "s"):
			e.Size = parseSize(fact[1:])
		case strings.HasPrefix(fact, "m"):
			if sec, err := strconv.ParseInt(fact[1:], 10, 48); err == nil {
				e.ModTime = time.Unix(sec, 0).UTC()
			}
		}
	}
	return e, what
}
