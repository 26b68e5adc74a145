package objects_test

import (
	"testing"

	"ferry/remote/driver/internal/objects"
)

// A listing of what is in a directory must not become one of the whole bucket.
func TestAPrefixLeadsToItsDirectory(t *testing.T) {
	for _, prefix := range []string{"", "/", "//", "d/", "d//", "d///", "d//e/"} {
		at := objects.Key{Bucket: "b", Name: prefix}.Dir()
		if got := at.Prefix(); got != prefix || at.Bucket != "b" {
			t.Errorf("what begins with %q is in %q, in which all begins with %q", prefix, at.Name, got)
		}
	}
}
