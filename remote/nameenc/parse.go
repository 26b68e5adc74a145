package nameenc

import (
	"fmt"
	"strings"
)

// names lists the parts in the order of their bits, as the option encoding calls them.
func names() []string {
	return []string{
		"Slash", "LtGt", "DoubleQuote", "SingleQuote", "BackQuote", "Dollar", "Colon", "Question", "Asterisk", "Pipe",
		"Hash", "Percent", "BackSlash", "Exclamation", "SquareBracket", "Semicolon", "CrLf", "Del", "Ctl", "LeftSpace",
		"LeftPeriod", "LeftTilde", "LeftCrLfHtVt", "RightSpace", "RightPeriod", "RightCrLfHtVt", "InvalidUtf8", "Dot",
		"Raw",
	}
}

// Parse reads the value of an option encoding: names of parts separated by commas. None is no part.
func Parse(s string) (Encoding, error) {
	var e Encoding
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		part, ok := parsePart(name)
		if !ok {
			return 0, fmt.Errorf("%q is no part of an encoding; there are None, %s", name, strings.Join(names(), ", "))
		}
		e |= part
	}
	return e, nil
}

func parsePart(name string) (Encoding, bool) {
	if strings.EqualFold(name, "None") {
		return 0, true
	}
	for i, n := range names() {
		if strings.EqualFold(n, name) {
			return 1 << i, true
		}
	}
	return 0, false
}

// String returns what Parse reads.
func (e Encoding) String() string {
	var parts []string
	for i, name := range names() {
		if e&(1<<i) != 0 {
			parts = append(parts, name)
		}
	}
	if len(parts) == 0 {
		return "None"
	}
	return strings.Join(parts, ",")
}
