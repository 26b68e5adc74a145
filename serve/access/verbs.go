package access

import (
	"fmt"
	"slices"
	"strings"
)

// Verbs is a set of what may be done. Which command needs which verb is written at each.
type Verbs uint16

const (
	List      Verbs = 1 << iota // LIST, NLST, MLSD and STAT of a directory, globs in it
	Download                    // RETR, HASH and the like
	Upload                      // STOR, STOU and RNTO with a new name; to continue an unfinished upload
	Overwrite                   // STOR and RNTO onto a file
	Resume                      // APPE and REST with STOR onto a file
	Delete                      // DELE
	Rename                      // RNFR
	Mkdir                       // MKD, and directories that an upload implies
	Rmdir                       // RMD
	Mtime                       // MFMT, MDTM with a time, SITE UTIME
	Chmod                       // SITE CHMOD

	// All is every verb.
	All Verbs = 1<<iota - 1
)

// The names of the sets.
const (
	setAll        = "all"
	setReadOnly   = "read-only"
	setReadWrite  = "read-write"
	setAppendOnly = "append-only"
	setDropBox    = "drop-box"
)

var verbNames = [...]string{
	"list", "download", "upload", "overwrite", "resume", "delete", "rename", "mkdir", "rmdir", "mtime", "chmod",
}

var sets = [...]struct {
	name  string
	verbs Verbs
}{
	{setAll, All},
	{setReadOnly, List | Download},
	{setReadWrite, All &^ Chmod},
	{setAppendOnly, List | Download | Upload | Mkdir},
	{setDropBox, Upload | Mkdir},
}

// ParseVerbs returns the union of verbs and sets of verbs. What else drop-box means is for
// ParseRule.
func ParseVerbs(words []string) (Verbs, error) {
	var v Verbs
	for _, word := range words {
		one, known := verbsOf(word)
		if !known {
			return 0, fmt.Errorf("unknown permission %q; there are the verbs %s, and the sets %s", word,
				strings.Join(verbNames[:], ", "), strings.Join(Sets(), ", "))
		}
		v |= one
	}
	return v, nil
}

func verbsOf(word string) (v Verbs, known bool) {
	if i := slices.Index(verbNames[:], word); i >= 0 {
		return 1 << i, true
	}
	for _, s := range sets {
		if s.name == word {
			return s.verbs, true
		}
	}
	return 0, false
}

// Sets returns the names of the sets.
func Sets() []string {
	names := make([]string, 0, len(sets))
	for _, s := range sets {
		names = append(names, s.name)
	}
	return names
}

// Words returns the verbs of v, one word each, in a fixed order. ParseVerbs reads them back.
func (v Verbs) Words() []string {
	words := []string{}
	for i, name := range verbNames {
		if v.has(1 << i) {
			words = append(words, name)
		}
	}
	return words
}

// String returns the words, separated by spaces.
func (v Verbs) String() string { return strings.Join(v.Words(), " ") }

// has reports whether v has all of wanted.
func (v Verbs) has(wanted Verbs) bool { return v&wanted == wanted }

// any reports whether v has at least one of wanted.
func (v Verbs) any(wanted Verbs) bool { return v&wanted != 0 }
