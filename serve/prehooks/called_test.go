package prehooks

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Whoever counts is told of each call: that it was allowed, denied, or not answered.
func TestCallsAreTold(t *testing.T) {
	st := newStage(t, script(`case "$FERRY_PATH" in /bad) exit 1;; /odd) exit 127;; esac`, preDelete))
	var told []string
	st.hooks.o.Called = func(hook, result string, took time.Duration) {
		if took <= 0 {
			t.Errorf("it took %v", took)
		}
		told = append(told, hook+" "+result)
	}
	tree := st.tree("bob")
	for _, name := range []string{"good", "bad", "odd"} {
		st.write(name, "x")
		if err := tree.Remove(t.Context(), name); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if want := []string{"test ok", "test denied", "test failed"}; !slices.Equal(told, want) {
		t.Errorf("told %q, not %q", strings.Join(told, ", "), want)
	}
}
