package ftp

import "strings"

// showable reports whether name fits on one line. Listings omit others: a line end inside a name
// could forge other entries, and no command could name it anyway.
func showable(name string) bool {
	return strings.IndexByte(name, '\n') < 0 && strings.IndexByte(name, '\r') < 0 && strings.IndexByte(name, 0) < 0
}

// absolute returns name as clients see it: with a leading slash.
func absolute(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

// quote returns name as the absolute path between double quotes that a 257 reply carries, each
// quote inside it doubled (RFC 959, appendix II).
func quote(name string) string {
	return `"` + strings.ReplaceAll(absolute(name), `"`, `""`) + `"`
}
