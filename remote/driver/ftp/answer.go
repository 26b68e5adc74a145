package ftp

import (
	"fmt"
	"time"

	"ferry/remote"
)

// An answer is what the server sends to LIST or MLSD, line by line.
type answer struct {
	// constant
	mlst bool
	now  time.Time
	omit func(line string) // is told of each line that is not understood

	understood bool   // a line was, besides those that say nothing
	unknown    string // the first line that was not
}

// maxQuoted is how much of a line is quoted in an error.
const maxQuoted = 200

// read returns the entry that a line describes, if it is one of a file or directory.
func (a *answer) read(line string, whole bool) (remote.Entry, bool) {
	var e remote.Entry
	var what reading
	switch {
	case !whole:
	case a.mlst:
		e, what = parseFacts(line)
	default:
		if e, what = parseList(line, a.now); e.Dir {
			e.ModTime = time.Time{} // as Stat has none
		}
	}
	switch what {
	case isUnknown:
		if a.unknown == "" {
			a.unknown = line[:min(len(line), maxQuoted)]
		}
		a.omit(line)
	case isEntry, isOther:
		a.understood = true
	}
	return e, what == isEntry
}

// malformed is the error of an answer that is not empty and of which nothing is understood: to take
// it for that of an empty directory would have somebody delete what is in it.
func (a *answer) malformed() error {
	if a.understood || a.unknown == "" {
		return nil
	}
	return &malformedError{a.unknown}
}

// malformedError quotes the first line of a listing of which none is understood.
type malformedError struct{ line string }

func (e *malformedError) Error() string {
	return fmt.Sprintf("no line of the server's listing is understood, the first is %q", e.line)
}

func (e *malformedError) Unwrap() error { return remote.ErrMalformed }

// Hint is for the client.
func (e *malformedError) Hint() string {
	return "The storage's listing is not understood; the server's log says more."
}
