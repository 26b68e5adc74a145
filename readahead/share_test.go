package readahead

import (
	"io"
	"testing"

	"ferry/budget"
)

// Trees that have one Budget share it, and give their shares back.
func TestTreesShareTheMemory(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.Budget = budget.New(1 << 20)
		var readers []io.ReadCloser
		for range 2 {
			if o.Store != nil {
				o.Store = newStore(t, 0)
			}
			b := newBehind(t, o)
			b.put("f", content(4<<20))
			readers = append(readers, b.open("f", 0))
		}
		if n := o.Budget.Share(4 << 20); n != 512<<10 {
			t.Errorf("each of two readers of two trees has %d bytes, want half a MiB", n)
		}
		for _, r := range readers {
			closeReader(t, r)
		}
		if n := o.Budget.Readers(); n != 0 {
			t.Errorf("%d readers are left", n)
		}
	})
}
