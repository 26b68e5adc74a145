package readahead

import (
	"io"
	"testing"
)

func TestReadersShareTheMemory(t *testing.T) {
	const buffer = 16 << 20
	l := NewBudget(20 << 20)
	for _, want := range []int{64, 40, 26, 20} {
		l.join()
		if got := l.share(buffer); got != want {
			t.Errorf("%d readers have %d blocks each, want %d", l.readers.Load(), got, want)
		}
	}
	for range 1000 {
		l.join()
	}
	if got := l.share(buffer); got != 1 {
		t.Errorf("%d blocks", got)
	}
}

// Trees that have one Budget share it, and give their shares back.
func TestTreesShareTheMemory(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.Budget = NewBudget(1 << 20)
		var readers []io.ReadCloser
		for range 2 {
			if o.Store != nil {
				o.Store = newStore(t, 0)
			}
			b := newBehind(t, o)
			b.put("f", content(4<<20))
			readers = append(readers, b.open("f", 0))
		}
		if n := o.Budget.share(4 << 20); n != 2 {
			t.Errorf("each of two readers of two trees has %d blocks, want 2", n)
		}
		for _, r := range readers {
			closeReader(t, r)
		}
		if n := o.Budget.Readers(); n != 0 {
			t.Errorf("%d readers are left", n)
		}
	})
}
