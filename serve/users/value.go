package users

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/config"
	"ferry/serve/access"

	"github.com/pelletier/go-toml/v2"
)

// kindOf says what a value is, for people.
func kindOf(raw any) string {
	switch raw.(type) {
	case string:
		return "a string"
	case int64:
		return "a number"
	case float64:
		return "a number with a point"
	case bool:
		return "true or false"
	case []any, *branches:
		return "an array"
	case *branch:
		return "a table"
	case toml.LocalTime:
		return "a time of day"
	}
	return "a date"
}

// of returns a value as a T, and notes a mistake if it is none.
func of[T any](p *place, raw any, form string) (T, bool) {
	v, ok := raw.(T)
	if !ok {
		p.wrong("%s is expected here, and this is %s", form, kindOf(raw))
	}
	return v, ok
}

func (p *place) text(raw any) (string, bool) { return of[string](p, raw, `a string ("...")`) }

func (p *place) toggle(raw any) (bool, bool) { return of[bool](p, raw, "true or false") }

// table returns the values of a table, none if it is no table.
func (p *place) table(raw any) (map[string]any, bool) {
	if _, several := raw.(*branches); several {
		p.wrong("a table is expected here, and these are several: write [...] in place of [[...]], for a user [users.NAME]")
		return nil, false
	}
	b, ok := of[*branch](p, raw, "a table")
	if !ok {
		return nil, false
	}
	return b.values, true
}

// list returns the elements of an array.
func (p *place) list(raw any, form string) ([]any, bool) {
	if tables, ok := raw.(*branches); ok {
		return tables.list, true
	}
	return of[[]any](p, raw, form)
}

// count reads a number that is not negative.
func (p *place) count(raw any) (int64, bool) {
	n, ok := of[int64](p, raw, "a whole number")
	if ok && n < 0 {
		p.wrong("%d is less than nothing: 0 is no limit", n)
		return 0, false
	}
	return n, ok
}

// small reads a number that fits an int everywhere.
func (p *place) small(raw any) (int, bool) {
	n, ok := p.count(raw)
	if ok && n > math.MaxInt32 {
		p.wrong("%d is too large: 0 is no limit", n)
		return 0, false
	}
	return int(n), ok
}

// size reads a number of bytes; off is 0.
func (p *place) size(raw any) (int64, bool) {
	if n, isNumber := raw.(int64); isNumber {
		p.wrong(`a size has a unit, so it is a string: write for example "%dM", "off" for no limit`, max(n, 0))
		return 0, false
	}
	s, ok := p.text(raw)
	if !ok {
		return 0, false
	}
	n, err := config.ParseSize(s)
	switch {
	case err != nil:
		p.wrong("%q: %v", s, err)
	case n == 0:
		p.wrong(`nothing fits into %q: write "off" for no limit, and take rights away with permissions`, s)
	case n == config.SizeOff:
		return 0, true
	}
	return int64(n), err == nil && n != 0
}

func (p *place) duration(raw any) (time.Duration, bool) {
	if n, isNumber := raw.(int64); isNumber {
		p.wrong(`a duration has a unit, so it is a string: write for example "%ds" or "%dm"`, max(n, 0), max(n, 0))
		return 0, false
	}
	s, ok := p.text(raw)
	if !ok {
		return 0, false
	}
	d, err := config.ParseDuration(s)
	if err == nil && d == 0 {
		err = fmt.Errorf(`write "off" for no limit`)
	}
	if err != nil {
		p.wrong("%q: %v", s, err)
	}
	return d, err == nil
}

// texts reads an array of strings, or one string.
func (p *place) texts(raw any) ([]string, bool) {
	if s, isText := raw.(string); isText {
		return []string{s}, true
	}
	list, ok := p.list(raw, `an array of strings (["...", "..."])`)
	texts := make([]string, 0, len(list))
	for i, one := range list {
		s, isText := p.at(strconv.Itoa(i)).text(one)
		ok = ok && isText
		texts = append(texts, s)
	}
	return texts, ok
}

// each reads an array of strings, or one string, of which read makes values.
func each[T any](p *place, raw any, read func(string) (T, error)) ([]T, bool) {
	texts, ok := p.texts(raw)
	_, isText := raw.(string)
	values := make([]T, 0, len(texts))
	for i, s := range texts {
		if !ok {
			break
		}
		v, err := read(s)
		if err != nil {
			where := p
			if !isText {
				where = p.at(strconv.Itoa(i))
			}
			where.wrong("%v", err)
			ok = false
		}
		values = append(values, v)
	}
	return values, ok
}

// parseNetwork reads a network or one address.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil || n.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not a network: write for example 192.168.1.0/24, 2001:db8::/32, or one address", s)
	}
	if n != n.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits behind its length: write %s for the network, or %s for the address", s, n.Masked(), n.Addr())
	}
	return n, nil
}

// parseCert reads what a client certificate is recognised by.
func parseCert(s string) (string, error) {
	kind, name, _ := strings.Cut(s, ":")
	switch {
	case kind == "cn" && name != "":
		return s, nil
	case strings.HasPrefix(s, "san:dns:") && len(s) > len("san:dns:"):
		return s, nil
	case kind == "sha256":
		hex := strings.ToLower(strings.ReplaceAll(name, ":", ""))
		if len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == "" {
			return "sha256:" + hex, nil
		}
		return "", fmt.Errorf("%q is not a fingerprint: openssl x509 -noout -fingerprint -sha256 shows 64 digits", s)
	}
	return "", fmt.Errorf("%q is not a certificate: write sha256:FINGERPRINT, cn:NAME or san:dns:NAME", s)
}

// A moment is a time, or a local one whose zone is told by another key.
type moment struct {
	at    time.Time // in UTC where it is local
	local bool
}

func (m moment) in(zone *time.Location) time.Time {
	if !m.local {
		return m.at
	}
	t := m.at
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

func (m moment) String() string {
	if m.local {
		return m.at.Format("2006-01-02 15:04:05")
	}
	return m.at.Format(time.RFC3339)
}

// moment reads a date, or a date with a time.
func (p *place) moment(raw any) (moment, bool) {
	switch v := raw.(type) {
	case time.Time:
		return moment{at: v}, true
	case toml.LocalDateTime:
		return moment{at: v.AsTime(time.UTC), local: true}, true
	case toml.LocalDate:
		return moment{at: v.AsTime(time.UTC), local: true}, true
	case string:
		p.wrong("a date has no quotes: write 2027-01-31, or 2027-01-31T18:00:00Z")
		return moment{}, false
	}
	p.wrong("a date is expected here, as 2027-01-31 or 2027-01-31T18:00:00Z, and this is %s", kindOf(raw))
	return moment{}, false
}

// oneOf reads one of some words.
func (p *place) oneOf(raw any, words ...string) (string, bool) {
	s, ok := p.text(raw)
	if ok && !slices.Contains(words, s) {
		p.wrong("%q is none of %s", s, strings.Join(words, ", "))
		return "", false
	}
	return s, ok
}

// checkPath notes a mistake unless s is an absolute path.
func (p *place) checkPath(s string) bool {
	err := access.CheckPath(s)
	if err == nil && strings.Contains(s, "*") {
		err = fmt.Errorf("%q holds *, and is one directory", s)
	}
	if err != nil {
		p.wrong("%v", err)
	}
	return err == nil
}
