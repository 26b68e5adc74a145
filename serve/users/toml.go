package users

import (
	"fmt"
	"strings"
)

// tomlKey writes a key, with quotes where TOML asks for them.
func tomlKey(name string) string {
	bare := name != ""
	for i := range len(name) {
		c := name[i]
		bare = bare && (c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z')
	}
	if bare {
		return name
	}
	return tomlString(name)
}

// tomlString writes a string: literal where that is possible, so that a hash keeps its looks.
func tomlString(s string) string {
	literal := !strings.ContainsRune(s, '\'')
	for _, r := range s {
		literal = literal && r >= ' ' && r != 0x7f && r != '\uFFFD'
	}
	if literal {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// TOMLString writes a string as TOML does.
func TOMLString(s string) string { return tomlString(s) }

// TOMLKey writes a key as TOML does.
func TOMLKey(s string) string { return tomlKey(s) }

// TOMLStrings writes an array of strings as TOML does.
func TOMLStrings(list []string) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = tomlString(s)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
