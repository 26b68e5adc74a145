package flags

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/feed"
	"ferry/hooks/settings"
	"ferry/remote/network"
)

// Texts returns what a value of a file says: a text for each time that the flag would stand on the
// command line. raw is a string, bool, int64, float64, []any or something else. The error says what
// is right, and does not show the value.
func (f Flag) Texts(raw any) ([]string, error) {
	v := f.inner()
	switch raw := raw.(type) {
	case string:
		return f.textOf(raw)
	case bool:
		if v.Type() != kindSwitch && v.Type() != kindAny {
			return nil, f.notRight("true or false")
		}
		return []string{strconv.FormatBool(raw)}, nil
	case int64:
		return f.numberOf(raw)
	case float64:
		if v.Type() != kindFloat && v.Type() != kindAny || math.IsInf(raw, 0) || math.IsNaN(raw) {
			return nil, f.notRight("a number with a point")
		}
		return []string{strconv.FormatFloat(raw, 'g', -1, 64)}, nil
	case []any:
		return f.listOf(raw)
	case map[string]any, []map[string]any:
		return nil, f.notRight("a table")
	}
	return nil, f.notRight("a date")
}

// inner is the value without what guards it.
func (f Flag) inner() pflag.Value {
	if o, guarded := f.Value.(*onceOnly); guarded {
		return o.Value
	}
	return f.Value
}

// notRight says what is expected in the place of something.
func (f Flag) notRight(what string) error {
	return fmt.Errorf("%s is expected here, and this is %s", f.expected(), what)
}

// expected says how the value is written in a file.
func (f Flag) expected() string {
	kind := f.inner().Type()
	switch words := strings.Split(kind, "|"); {
	case kind == kindSwitch:
		return "true or false, without quotes,"
	case f.isNumber():
		return "a number, without quotes,"
	case kind == kindSize:
		return `a size with its unit, as "16M" or "off",`
	case kind == kindDuration:
		return `a duration with its unit, as "90s", "5m" or "off",`
	case kind == kindMode:
		return `a mode, which is octal, so a string as "0755",`
	case len(words) > 1:
		return `"` + strings.Join(words, `", "`) + `"`
	case f.lists() != noList:
		return `a string, or an array of strings as ["...", "..."],`
	}
	return `a string ("...")`
}

func (f Flag) isNumber() bool {
	switch f.inner().Type() {
	case kindInt, kindID, kindFloat, kindCount:
		return true
	}
	return false
}

// textOf takes a string. A number has no quotes, for one form is enough; words such as auto do.
func (f Flag) textOf(s string) ([]string, error) {
	_, err := strconv.ParseFloat(s, 64)
	if f.inner().Type() == kindSwitch || f.isNumber() && (err == nil || s == countOne) {
		return nil, f.notRight("a string")
	}
	return []string{s}, nil
}

// numberOf takes a number. Without a unit it is no size and no time, but for 0.
func (f Flag) numberOf(n int64) ([]string, error) {
	switch kind := f.inner().Type(); {
	case f.isNumber(), kind == kindPorts, kind == kindAny, n == 0 && (kind == kindSize || kind == kindDuration):
		return []string{strconv.FormatInt(n, 10)}, nil
	}
	return nil, f.notRight("a number")
}

// How the elements of an array make one value.
type listing int

const (
	noList    listing = iota
	oneByOne          // as the flag repeated
	byCommas          // one text with commas
	bySpaces          // one text with spaces
	asCommand         // a command line
)

func (f Flag) lists() listing {
	switch v := f.inner().(type) {
	case *listFlag, *value[[]netip.Prefix], *value[[]network.Header], *value[[]settings.Hook], *value[[]feed.URL]:
		return oneByOne
	case *value[[]string]:
		if v.kind == kindCommand {
			return asCommand
		}
		return oneByOne
	case *value[[]PublicIP], *value[Timeouts]:
		return byCommas
	case *value[config.Bandwidth]:
		return bySpaces
	}
	return noList
}

func (f Flag) listOf(raw []any) ([]string, error) {
	how := f.lists()
	if how == noList {
		return nil, f.notRight("an array")
	}
	texts := []string{}
	for _, one := range raw {
		s, isText := one.(string)
		if !isText {
			return nil, errors.New(`an array of strings is expected here, as ["...", "..."]`)
		}
		if how == asCommand && strings.ContainsAny(s, " \"") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		texts = append(texts, s)
	}
	switch how {
	case byCommas:
		texts = []string{strings.Join(texts, ",")}
	case bySpaces, asCommand:
		texts = []string{strings.Join(texts, " ")}
	}
	return texts, nil
}

// IsFile reports whether the value names files or directories.
func (f Flag) IsFile() bool {
	kind := f.inner().Type()
	return kind == kindFile || kind == kindFiles
}

// IsSecret reports whether the value may be something that is not shown.
func (f Flag) IsSecret() bool {
	switch f.inner().(type) {
	case *value[Secret], *value[[]network.Header], *value[[]settings.Hook]: // its address may hold one
		return true
	}
	return strings.HasPrefix(f.inner().Type(), kindURL)
}

// Key is the name of the flag without its letter.
func (f Flag) Key() string {
	name, _ := f.name()
	return name
}

// Differ returns the names of the flags that have another value in now than in was, secrets too.
// Both are of one table.
func Differ(was, now []Group) []string {
	var names []string
	for i, g := range now {
		for j, row := range g.Flags {
			if !reflect.DeepEqual(held(was[i].Flags[j].inner()), held(row.inner())) {
				names = append(names, row.Key())
			}
		}
	}
	return names
}

// held is what is behind a value.
func held(v pflag.Value) any {
	if h, ok := v.(interface{ held() any }); ok {
		return h.held()
	}
	return v.String()
}
