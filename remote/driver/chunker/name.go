package chunker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	defaultFormat = "*.rclone_chunk.###"
	defaultStart  = 1
	// txnLength is how long the mark of a content is that tells its chunks from those of others.
	txnLength  = 9
	longestTxn = "xxxxxxxxx"
)

// A format is how chunks are called.
type format struct {
	before, between, after string // around the name and the number
	digits                 int    // of a number, at least
	start                  int    // number of the first chunk
	pattern                *regexp.Regexp
}

var errFormat = errors.New("chunker: option name_format has one *, and one row of # behind it")

// parseFormat reads what the options say of the names of chunks.
func parseFormat(s string, start *int) (format, error) {
	if s == "" {
		s = defaultFormat
	}
	f := format{start: defaultStart}
	if start != nil {
		f.start = *start
	}
	if f.start < 0 {
		return f, errors.New("chunker: option start_from is not below 0")
	}
	before, rest, ok := strings.Cut(s, "*")
	first, last := strings.Index(rest, "#"), strings.LastIndex(rest, "#")
	if !ok || first < 1 || strings.Contains(before+rest, "*") || strings.Contains(before, "#") || strings.Contains(s, "/") ||
		strings.Trim(rest[first:last+1], "#") != "" {
		return f, errFormat
	}
	f.before, f.between, f.after, f.digits = before, rest[:first], rest[last+1:], last+1-first
	quote := regexp.QuoteMeta
	f.pattern = regexp.MustCompile(fmt.Sprintf(`(?s)^%s(.+?)%s(?:([0-9]{%d,})|_[a-z][a-z0-9]{2,6})%s(?:_([0-9a-z]{4,9}))?$`,
		quote(before), quote(f.between), f.digits, quote(f.after)))
	return f, nil
}

// name returns what the chunk of a number is called; txn "" is none.
func (f format) name(base string, number int, txn string) string {
	s := fmt.Sprintf("%s%s%s%0*d%s", f.before, base, f.between, f.digits, number+f.start, f.after)
	if txn != "" {
		s += "_" + txn
	}
	return s
}

// longest is how much longer than the name of a file that of its chunks is.
func (f format) longest() int { return len(f.name("", 0, longestTxn)) }

// A chunkName is what the name of a chunk says.
type chunkName struct {
	base   string
	number int // from 0; -1 is not data
	txn    string
}

// parse returns what name says if it is that of a chunk.
func (f format) parse(name string) (c chunkName, ok bool) {
	m := f.pattern.FindStringSubmatch(name)
	if m == nil {
		return c, false
	}
	c = chunkName{base: m[1], number: -1, txn: m[3]}
	if m[2] != "" {
		n, err := strconv.Atoi(m[2])
		if err != nil || n < f.start {
			return c, false
		}
		c.number = n - f.start
	}
	return c, true
}

// newTxn returns a mark that no other content has.
func newTxn() string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	b := make([]byte, txnLength)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
