package users

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// An index knows where each key and each value of a file stands.
type index struct {
	text   []byte
	spots  map[string]spot // by path, see place.path
	counts map[string]int  // elements of arrays of tables
	lines  []int           // offsets of the line ends
	said   []expression    // in the order of the text
}

// An expression is a header, or a key with its value.
type expression struct {
	path       string
	header     bool
	start, end int // without what is around it on its lines
}

// A spot has offsets in the text.
type spot struct {
	key        int
	value, end int // of the value without comment; equal for a table that has a header
}

// newIndex reads a text in one pass, up to its first mistake of syntax.
func newIndex(text []byte) *index {
	x := &index{text: text, spots: map[string]spot{}, counts: map[string]int{}}
	var p unstable.Parser
	p.Reset(text)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = x.header(e)
		case unstable.KeyValue:
			path := x.keyValue(table, e)
			x.said = append(x.said, expression{path: path, start: int(e.Raw.Offset), end: int(e.Raw.Offset + e.Raw.Length)})
		}
	}
	for i, c := range text {
		if c == '\n' {
			x.lines = append(x.lines, i)
		}
	}
	return x
}

// header notes the keys of a header, and returns the path of its table.
func (x *index) header(e *unstable.Node) string {
	path, start, end := "", -1, 0
	for it := e.Key(); it.Next(); {
		n := it.Node()
		path += separator + string(n.Data)
		at := int(n.Raw.Offset)
		if start < 0 {
			start = at
		}
		end = at + int(n.Raw.Length)
		x.add(path, spot{at, at, at})
		if it.IsLast() && e.Kind == unstable.ArrayTable {
			x.counts[path]++
		}
		if count := x.counts[path]; count > 0 {
			path += separator + strconv.Itoa(count-1)
			x.add(path, spot{at, at, at})
		}
	}
	x.said = append(x.said, expression{path: path, header: true, start: start, end: end})
	return path
}

// add notes the first spot of a path: tables are named again by their parts.
func (x *index) add(path string, s spot) {
	if _, ok := x.spots[path]; !ok {
		x.spots[path] = s
	}
}

// keyValue notes a key and its value, and returns the path.
func (x *index) keyValue(table string, e *unstable.Node) string {
	path, at, last := table, int(e.Raw.Offset), 0
	end := at + int(e.Raw.Length)
	for it := e.Key(); it.Next(); {
		n := it.Node()
		path += separator + string(n.Data)
		last = int(n.Raw.Offset + n.Raw.Length)
		if !it.IsLast() {
			x.add(path, spot{int(n.Raw.Offset), int(n.Raw.Offset), int(n.Raw.Offset)})
		}
	}
	blank := func(c rune) bool { return c == ' ' || c == '\t' }
	value := end - len(bytes.TrimLeftFunc(bytes.TrimLeftFunc(x.text[last:end], blank)[1:], blank)) // behind the =
	x.add(path, spot{at, value, end})
	x.inside(path, e.Value(), spot{at, value, end})
	return path
}

// inside notes what arrays and inline tables hold.
func (x *index) inside(path string, v *unstable.Node, outer spot) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				x.keyValue(path, it.Node())
			}
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			n, s := it.Node(), outer
			if n.Raw.Length > 0 { // arrays in arrays have no range
				at := int(n.Raw.Offset)
				s = spot{at, at, at + int(n.Raw.Length)}
			}
			inner := path + separator + strconv.Itoa(i)
			x.add(inner, s)
			x.inside(inner, n, s)
		}
	}
}

// position returns line and column of a value or of its key; of what it is in where it is not
// there itself.
func (x *index) position(path string, key bool) (line, column int) {
	s, ok := x.spots[path]
	for !ok && path != "" {
		path, key = path[:strings.LastIndex(path, separator)], true
		s, ok = x.spots[path]
	}
	if !ok {
		return 0, 0
	}
	if key {
		return x.lineOf(s.key)
	}
	return x.lineOf(s.value)
}

func (x *index) lineOf(offset int) (line, column int) {
	n, _ := slices.BinarySearch(x.lines, offset)
	begin := 0
	if n > 0 {
		begin = x.lines[n-1] + 1
	}
	return n + 1, offset - begin + 1
}
