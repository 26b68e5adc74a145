package local

import (
	"strings"
	"testing"
)

func TestHoldable(t *testing.T) {
	held := func(name string) bool { return check(t.Context(), "checkname", name) == nil }
	for _, name := range []string{".", "a", "a/b", ".ferry-part", "a/ferry-part.x", strings.Repeat("n", 255)} {
		if !held(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{".ferry-part.x", "a/.ferry-part.x", ".Ferry-Part.x/b", strings.Repeat("n", 256), "a/" + strings.Repeat("n", 256)} {
		if held(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}
