package readahead

import "testing"

// A reader that begins with what is on disk is a hit.
func TestHitsAndMisses(t *testing.T) {
	b := newThrough(t)
	data := content(1 << 20)
	b.put("f", data)
	for i, want := range []Stats{{0, 1}, {1, 1}, {2, 1}} {
		b.wantFile("f", data)
		if got := b.Stats(); got != want {
			t.Errorf("reader %d: %+v, not %+v", i, got, want)
		}
	}
}
