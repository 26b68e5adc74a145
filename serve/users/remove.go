package users

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// Remove removes a user, with the comments in its tables and directly above them.
func (e *Editor) Remove(name string) error {
	x := newIndex(e.text)
	user := userPath(name)
	if _, ok := x.spots[user]; !ok {
		return noUser(name)
	}
	var runs []run
	last := -2
	for i, one := range x.said {
		if one.path != user && !strings.HasPrefix(one.path, user+separator) {
			if strings.HasPrefix(user, one.path+separator) && !one.header {
				return e.byHand(x, one.start, "the user stands in a table in braces")
			}
			continue
		}
		if last != i-1 {
			runs = append(runs, run{from: e.lineStart(one.start)})
		}
		runs[len(runs)-1].to, last = e.lineEnd(one.end), i
	}
	text := bytes.Clone(e.text)
	for _, r := range slices.Backward(runs) {
		r = r.withComments(text)
		text = slices.Delete(text, r.from, r.to)
	}
	return e.replace(text, name, func(_, now map[string]any) error {
		if now != nil {
			return errors.New("a part of the user would be left: edit the file by hand")
		}
		return nil
	})
}

func (e *Editor) lineStart(offset int) int { return bytes.LastIndexByte(e.text[:offset], '\n') + 1 }

// A run is a range of whole lines.
type run struct{ from, to int }

// withComments widens a run by the comments that belong to it: those directly above, those directly
// below that nothing follows directly, and empty lines that would stand beside others.
func (r run) withComments(text []byte) run {
	for r.from > 0 {
		begin := bytes.LastIndexByte(text[:r.from-1], '\n') + 1
		if !isComment(text[begin:r.from]) {
			break
		}
		r.from = begin
	}
	end := r.to
	for end < len(text) && isComment(lineAt(text, end)) {
		end += len(lineAt(text, end))
	}
	if end == len(text) || isBlank(lineAt(text, end)) {
		r.to = end
	}
	first := r.from == 0 || isBlank(text[bytes.LastIndexByte(text[:r.from-1], '\n')+1:r.from])
	for first && r.to < len(text) && isBlank(lineAt(text, r.to)) {
		r.to += len(lineAt(text, r.to))
	}
	if r.to == len(text) { // no empty line at the end
		for r.from > 0 {
			begin := bytes.LastIndexByte(text[:r.from-1], '\n') + 1
			if !isBlank(text[begin:r.from]) {
				break
			}
			r.from = begin
		}
	}
	return r
}

func lineAt(text []byte, offset int) []byte {
	if n := bytes.IndexByte(text[offset:], '\n'); n >= 0 {
		return text[offset : offset+n+1]
	}
	return text[offset:]
}

func isComment(line []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) }

func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }
