package users

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ferry/config"
)

// A draft is a user whose values are being put together.
type draft struct {
	User
	zone    *time.Location
	expires moment
	hashes  []hash
}

// A hash is a Password whose expiry may be local.
type hash struct {
	Password
	expires moment
}

// A key is a key of the file: everything there is to know of it.
type key struct {
	name string
	read func(p *place, raw any) (any, bool) // notes mistakes
	set  func(d *draft, v any)
	show func(v any) string
	own  bool // only a user has it

	// parts returns what v consists of, where parts of several tables hold together; nil = the
	// first table that has the key decides.
	parts func(v any) []part
}

// A part is an element of a value. A part of a table takes the place of those of the same name.
type part struct {
	name string
	at   string // its name in the file
	text string // its value, for people
}

// own makes a key of users alone.
func own(k key) key {
	k.own = true
	return k
}

// value makes a key whose value is read as a T, which goes into a field.
func value[T any](name string, read func(*place, any) (T, bool), field func(*draft) *T) key {
	return key{
		name: name,
		read: func(p *place, raw any) (any, bool) {
			v, ok := read(p, raw)
			return v, ok
		},
		set:  func(d *draft, v any) { *field(d) = v.(T) },
		show: func(v any) string { return show(v) },
	}
}

// show writes what a key means, for people.
func show(v any) string {
	switch v := v.(type) {
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case time.Duration:
		return config.FormatDuration(v)
	case []Span:
		return joined(v)
	case []netip.Prefix:
		return joined(v)
	}
	return fmt.Sprint(v)
}

func joined[T fmt.Stringer](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.String()
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// sized shows a number of bytes.
func sized(k key) key {
	k.show = func(v any) string {
		if v.(int64) == 0 {
			return config.SizeOff.String()
		}
		return config.Size(v.(int64)).String()
	}
	return k
}

// networks makes a key of networks.
func networks(name string, field func(*draft) *[]netip.Prefix) key {
	k := value(name, func(p *place, raw any) ([]netip.Prefix, bool) { return each(p, raw, parseNetwork) }, field)
	return k
}
