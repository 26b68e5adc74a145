package users

import (
	"fmt"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A branch is a table of a TOML text. Its values are strings, bools, int64s, float64s, times,
// dates, []any, *branch and *branches.
//
// The library's own decoder compares each header with all before it, which takes a second for
// 10,000 users; this one looks names up.
type branch struct {
	values map[string]any
	by     origin
}

// branches is an array of tables.
type branches struct{ list []any }

// An origin says how a table came about, and so what may still be added to it.
type origin int

const (
	byPart   origin = iota // of a header of a table in it: a header of its own may follow
	byHeader               // complete, but for tables in it
	byDots                 // of dotted keys: these alone add to it, and headers of tables in it
	byInline               // complete
)

func newBranch(by origin) *branch { return &branch{values: map[string]any{}, by: by} }

// A decoder makes branches of a text.
type decoder struct {
	p    unstable.Parser
	root *branch
	at   *branch // which keys go into
}

// A syntaxError is where and why a text is not TOML.
type syntaxError struct {
	offset int
	text   string
}

func (e *syntaxError) Error() string { return e.text }

// decode reads a text. The error is a *syntaxError.
func decode(text []byte) (*branch, error) {
	text = text[:len(text):len(text)]
	d := &decoder{root: newBranch(byHeader)}
	d.at = d.root
	d.p.Reset(text)
	for d.p.NextExpression() {
		e := d.p.Expression()
		var err error
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			err = d.header(e)
		case unstable.KeyValue:
			err = d.keyValue(d.at, e)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := d.p.Error(); err != nil {
		return nil, d.parserError(text, err)
	}
	return d.root, nil
}

func (d *decoder) parserError(text []byte, err error) error {
	bad, ok := err.(*unstable.ParserError)
	if !ok {
		return &syntaxError{0, err.Error()}
	}
	offset := min(max(cap(text)-cap(bad.Highlight), 0), len(text)) // a highlight is a part of text
	return &syntaxError{offset, bad.Message}
}

func notNow(n *unstable.Node, format string, args ...any) error {
	return &syntaxError{int(n.Raw.Offset), fmt.Sprintf(format, args...)}
}

// header makes the table of [a.b] or [[a.b]] the one that keys go into.
func (d *decoder) header(e *unstable.Node) error {
	b := d.root
	for it := e.Key(); it.Next(); {
		n := it.Node()
		next, err := d.step(b, n, it.IsLast(), e.Kind)
		if err != nil {
			return err
		}
		b = next
	}
	d.at = b
	return nil
}

// step returns the table that a header means by a name in b. The last name of a header makes it.
func (d *decoder) step(b *branch, n *unstable.Node, last bool, kind unstable.Kind) (*branch, error) {
	name := string(n.Data)
	isArray := last && kind == unstable.ArrayTable
	switch v := b.values[name].(type) {
	case nil:
		next := newBranch(byPart)
		if last {
			next.by = byHeader
		}
		b.values[name] = next
		if isArray {
			b.values[name] = &branches{list: []any{next}}
		}
		return next, nil
	case *branch:
		switch {
		case isArray:
			return nil, notNow(n, "%s is a table above, and cannot be an array of tables: write [%s]", tomlKey(name), tomlKey(name))
		case v.by == byInline:
			return nil, notNow(n, "%s is complete with its braces: add to them", tomlKey(name))
		case last && v.by != byPart:
			return nil, notNow(n, "table %s is there twice: put its keys together", tomlKey(name))
		case last:
			v.by = byHeader
		}
		return v, nil
	case *branches:
		switch {
		case isArray:
			v.list = append(v.list, newBranch(byHeader))
		case last:
			return nil, notNow(n, "%s is an array of tables above: write [[%s]]", tomlKey(name), tomlKey(name))
		}
		return v.list[len(v.list)-1].(*branch), nil
	}
	return nil, notNow(n, "%s has a value above, and cannot be a table", tomlKey(name))
}

// keyValue puts a value into b, or where its dotted key leads to.
func (d *decoder) keyValue(b *branch, e *unstable.Node) error {
	for it := e.Key(); it.Next(); {
		n := it.Node()
		name := string(n.Data)
		old, exists := b.values[name]
		if it.IsLast() {
			if exists {
				return notNow(n, "%s is there twice: remove one", tomlKey(name))
			}
			v, err := d.value(e.Value())
			b.values[name] = v
			return err
		}
		next, isBranch := old.(*branch)
		switch {
		case !exists:
			next = newBranch(byDots)
			b.values[name] = next
		case !isBranch:
			return notNow(n, "%s has a value above, and cannot be a table", tomlKey(name))
		case next.by != byDots:
			return notNow(n, "%s is a table above: put the key into it", tomlKey(name))
		}
		b = next
	}
	return nil
}

func (d *decoder) value(n *unstable.Node) (any, error) {
	switch n.Kind {
	case unstable.String:
		return string(n.Data), nil
	case unstable.Bool:
		return n.Data[0] == 't', nil
	case unstable.Array:
		list := []any{}
		for it := n.Children(); it.Next(); {
			v, err := d.value(it.Node())
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case unstable.InlineTable:
		b := newBranch(byInline)
		for it := n.Children(); it.Next(); {
			if err := d.keyValue(b, it.Node()); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return d.number(n)
}

// number has the library read a number or a date.
func (d *decoder) number(n *unstable.Node) (any, error) {
	var one struct{ V any }
	if err := toml.Unmarshal(append([]byte("V = "), d.p.Raw(n.Raw)...), &one); err != nil {
		return nil, notNow(n, "%q is neither a number nor a date", d.p.Raw(n.Raw))
	}
	return one.V, nil
}
