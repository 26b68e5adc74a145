package writeback

import (
	"testing"
	"time"
)

func TestRecentChanges(t *testing.T) {
	var r recent
	r.note("a/b")
	before := r.n
	r.note("c")
	for key, want := range map[string]bool{"a/b": false, "c": true, "c/d": true, "a": false} {
		if got := r.since(key, before); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
	for range maxRecent {
		r.note(time.Duration(r.n).String())
	}
	if !r.since("a/b", before) {
		t.Error("what was forgotten counts as unchanged")
	}
}
