package objects_test

import (
	"strings"
	"testing"

	"ferry/remote/driver/internal/objects"
)

// A listing of what is in a directory must not become one of the whole bucket.
func TestAPrefixLeadsToItsDirectory(t *testing.T) {
	names := objects.Names{Odd: true}
	for _, prefix := range []string{"/", "//", "d/", "d//", "d///", "d//e/"} {
		elems := strings.Split(strings.TrimSuffix(prefix, "/"), "/")
		for i, raw := range elems {
			var ok bool
			if elems[i], ok = names.Name(raw); !ok {
				t.Fatalf("nothing leads to %q", prefix)
			}
		}
		path, err := names.Path(strings.Join(elems, "/"))
		if got := (objects.Key{Bucket: "b", Name: path}).Prefix(); err != nil || got != prefix {
			t.Errorf("what begins with %q is in %q, in which all begins with %q: %v", prefix, path, got, err)
		}
	}
	if got := (objects.Key{Bucket: "b"}).Prefix(); got != "" {
		t.Errorf("in a bucket all begins with %q", got)
	}
}
