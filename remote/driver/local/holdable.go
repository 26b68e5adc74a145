package local

import (
	"strings"

	"ferry/remote/partname"
)

// holdable reports whether a file may have the name: every element is one the system can hold, and
// none is hidden.
func holdable(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if len(elem) > maxName || partname.Hidden(elem) || !holds(elem) {
			return false
		}
	}
	return true
}
