package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Report is what Verify has found.
type Report struct {
	Lines     int       // with a hash
	Unchained int       // before the first of them
	Torn      int       // there in part: the disk was full, or the process was killed
	Begins    bool      // it has the first line of all
	Last      string    // hash of the last line: who notes it elsewhere finds later whether lines of the end are removed
	Noted     bool      // the hash that was asked for is that of a line
	Findings  []Finding // in the order of lines; none = nothing was changed
}

// A Finding is a place where lines do not follow each other.
type Finding struct {
	File string
	Line int
	Text string
}

func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Verify reads the files of an audit log that is chained, of which those that end in .gz are
// packed, and looks for lines that were changed, removed or added. They are read in the order of
// their times. noted is a hash that was the last one at some time; "" is none.
func Verify(names []string, noted string) (Report, error) {
	names, err := byTime(names)
	if err != nil {
		return Report{}, err
	}
	v := verifier{noted: strings.ToLower(noted)}
	for _, name := range names {
		if err := v.read(name); err != nil {
			return v.Report, err
		}
	}
	v.Last = v.last.String()
	return v.Report, nil
}

// byTime sorts files by the time of their first lines.
func byTime(names []string) ([]string, error) {
	first := map[string]time.Time{}
	for _, name := range names {
		in, err := openLog(name)
		if err != nil {
			return nil, err
		}
		for lines := bufio.NewReader(in); ; {
			line, err := lines.ReadBytes('\n')
			if s, whole := parse(bytes.TrimSuffix(line, []byte("\n"))); whole {
				first[name] = s.Time
				break
			}
			if err == io.EOF {
				break
			} else if err != nil {
				in.Close()
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		in.Close()
	}
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(first[a].Compare(first[b]), strings.Compare(a, b)) })
	return names, nil
}

// A verifier has read some lines.
type verifier struct {
	Report
	noted string
	last  sum
}

func (v *verifier) read(name string) error {
	in, err := openLog(name)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(line) == 0 {
			return nil
		}
		v.take(Finding{File: name, Line: n}, bytes.TrimSuffix(line, []byte("\n")))
	}
}

// take compares a line with what was before it.
func (v *verifier) take(at Finding, line []byte) {
	s, whole := parse(line)
	switch {
	case !whole:
		v.Torn++
	case s.Prev == nil && v.Lines == 0:
		v.Unchained++
	case s.Prev == nil:
		at.Text = "this line has no hash: it was added, or written without --audit-chain"
	default:
		v.Lines++
		at.Text = v.compare(*s.Prev)
	}
	if at.Text != "" {
		v.Findings = append(v.Findings, at)
	}
	v.last = v.last.after(line, whole)
	v.Noted = v.Noted || v.last.String() == v.noted
}

// compare returns what is wrong with a line that says prev of the one before it.
func (v *verifier) compare(prev string) string {
	anew := prev == sum{}.String()
	first := v.Lines == 1 && v.Unchained == 0 && v.Torn == 0
	switch {
	case first:
		v.Begins = anew
		return ""
	case prev == v.last.String():
		return ""
	case anew:
		return "the chain begins anew here: what was between may have been removed"
	}
	return "this line does not follow the one before: that was changed, or lines between were removed or added"
}
