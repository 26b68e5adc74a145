package s3

import (
	"testing"

	"ferry/remote/driver/internal/objects"
)

// A listing of what is in a directory must not become one of the whole bucket.
func TestAPrefixLeadsToItsDirectory(t *testing.T) {
	for _, prefix := range []string{"", "/", "//", "d/", "d//", "d///", "d//e/"} {
		at := placeOf(objects.Key{Bucket: "b", Name: prefix}.Dir())
		if got := at.prefix(); got != prefix || at.bucket != "b" {
			t.Errorf("what begins with %q is in %q, in which all begins with %q", prefix, at.key, got)
		}
	}
}
