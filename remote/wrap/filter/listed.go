package filter

import (
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

const (
	depthFlag verdict = "--max-depth"
	partFlag  verdict = "--hash-filter"
)

// A listed is what --files-from and the like name: files, and the directories that lead to them.
type listed struct {
	files, dirs map[string]bool
	flag        verdict
}

func (l *listed) decide(all map[string]bool, name string) verdict {
	if all[name] {
		return included
	}
	return l.flag
}

// readListed reads the files of names, nil where there are none.
func readListed(o *Options) (*listed, error) {
	l := &listed{files: map[string]bool{}, dirs: map[string]bool{}}
	for _, from := range []struct {
		flag  string
		files []string
		split func(text string) []string
	}{
		{"--files-from", o.FilesFrom, lines},
		{"--files-from-raw", o.FilesFromRaw, rawLines},
		{"--files-from0", o.FilesFrom0, func(text string) []string { return strings.Split(text, "\x00") }},
	} {
		for _, name := range from.files {
			text, err := o.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", from.flag, name, err)
			}
			l.flag = verdict(from.flag)
			for _, line := range from.split(text) {
				l.add(line)
			}
		}
	}
	switch {
	case l.flag == included:
		return nil, nil
	case o.othersGiven():
		return nil, fmt.Errorf("%s says which files there are: leave out the other filters", l.flag)
	}
	return l, nil
}

// add adds a file and the directories that lead to it.
func (l *listed) add(name string) {
	name = strings.Trim(name, "/")
	if name == "" {
		return
	}
	l.files[name] = true
	for i := 0; i < len(name); i++ {
		if name[i] == '/' {
			l.dirs[name[:i]] = true
		}
	}
}

func rawLines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, strings.TrimRight(line, "\r\n"))
	}
	return all
}

// othersGiven reports whether there are rules or limits that would not count beside a list of
// files.
func (o *Options) othersGiven() bool {
	for _, list := range [][]string{o.Include, o.IncludeFrom, o.Exclude, o.ExcludeFrom, o.Filter, o.FilterFrom, o.ExcludeIfPresent} {
		if len(list) > 0 {
			return true
		}
	}
	return o.MinSize > 0 || o.MaxSize >= 0 || o.MinAge > 0 || o.MaxAge > 0 || o.HashPart != ""
}

// A part is one of n, into which files fall by the hash of their name; the zero value has all
// files. It is the same part as that of rclone.
type part struct{ k, n uint64 }

func parsePart(s string) (part, error) {
	if s == "" {
		return part{}, nil
	}
	left, right, ok := strings.Cut(s, "/")
	n, err := strconv.ParseUint(right, 10, 64)
	if !ok || err != nil || n == 0 {
		return part{}, errPart(s)
	}
	if left == "@" {
		return part{rand.Uint64N(n), n}, nil
	}
	k, err := strconv.ParseUint(left, 10, 64)
	if err != nil {
		return part{}, errPart(s)
	}
	return part{k % n, n}, nil
}

func errPart(s string) error {
	return fmt.Errorf("%s %q: %w", partFlag, s, errors.New("use K/N, as in 0/4, or @/N for any of N"))
}

func (p part) has(name string) bool {
	if p.n == 0 {
		return true
	}
	sum := md5.Sum([]byte(strings.ToLower(norm.NFC.String(name))))
	return binary.LittleEndian.Uint64(sum[:])%p.n == p.k
}
