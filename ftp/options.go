package ftp

import "strings"

// stripOptions removes the options of ls that clients send before the path of LIST, NLST and STAT,
// such as "-a", "-al" or "-a -1", each with one space after it. RFC 959 has no options, and a file
// may have such a name: the caller first checks whether arg as a whole exists.
func stripOptions(arg string) (rest string, had bool) {
	for {
		word, rest, _ := strings.Cut(arg, " ")
		if !isOption(word) {
			return arg, had
		}
		arg, had = rest, true
	}
}

// isOption reports whether word is a dash and one or more letters or digits.
func isOption(word string) bool {
	if len(word) < 2 || word[0] != '-' {
		return false
	}
	for _, c := range []byte(word[1:]) {
		if !isASCIILetter(c) && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
