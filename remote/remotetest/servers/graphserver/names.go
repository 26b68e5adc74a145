package graphserver

import (
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// fold is what names are compared by.
func fold(name string) string { return strings.ToLower(name) }

// checkName refuses a name that no file in a folder can have.
func checkName(folder *node, name string) error {
	bad := &failure{http.StatusBadRequest, "invalidRequest"}
	lower := strings.ToLower(name)
	switch lower {
	case "", ".", "..", ".lock", "con", "prn", "aux", "nul", "desktop.ini":
		return bad
	}
	if len(lower) == 4 && (lower[:3] == "com" || lower[:3] == "lpt") && lower[3] >= '0' && lower[3] <= '9' {
		return bad
	}
	if strings.ContainsAny(name, "\"*:<>?/\\|\x7f") || strings.Contains(lower, "_vti_") || strings.HasPrefix(name, "~$") ||
		strings.HasPrefix(name, " ") || strings.HasSuffix(name, " ") || strings.HasSuffix(name, ".") || !utf8.ValidString(name) {
		return bad
	}
	for _, c := range name {
		if c < ' ' {
			return bad
		}
	}
	length := len(utf16.Encode([]rune(name)))
	if length > 255 {
		return bad
	}
	for n := folder; n != nil; n = n.parent {
		length += 1 + len(utf16.Encode([]rune(n.name)))
	}
	if length > 402 { // 400 of the path, and the slashes at either end of it
		return &failure{http.StatusBadRequest, "pathIsTooLong"}
	}
	return nil
}
