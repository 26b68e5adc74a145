package chunker_test

import (
	"context"
	"io"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/chunker"
	"ferry/remote/driver/memory"
)

// meanwhile lets something happen once, between two calls.
type meanwhile struct {
	remote.Remote
	looked, opened func() // behind the next Stat, and the next Open
}

func (m *meanwhile) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := m.Remote.Stat(ctx, name)
	if do := m.looked; do != nil {
		m.looked = nil
		do()
	}
	return e, err
}

func (m *meanwhile) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	body, err := m.Remote.Open(ctx, name, off, n)
	if do := m.opened; do != nil {
		m.opened = nil
		do()
	}
	return body, err
}

// A file that is replaced while it is looked at is the old one or the new one, and nothing between.
func TestAFileThatIsReplacedWhileItIsOpened(t *testing.T) {
	const small, large, larger = "abc", "aaaaaaaa", "bbbbbbbbb"
	for _, c := range []struct{ old, new string }{{large, larger}, {small, large}, {large, small}} {
		for what, hook := range map[string]func(m *meanwhile, do func()){
			"behind Stat": func(m *meanwhile, do func()) { m.looked = do },
			"behind Open": func(m *meanwhile, do func()) { m.opened = do },
		} {
			m := &meanwhile{Remote: memory.New()}
			r := over(t, m, chunker.Options{ChunkSize: 5})
			put(t, r, "f", c.old, remote.PutOptions{})
			hook(m, func() { put(t, r, "f", c.new, remote.PutOptions{}) })
			if got, err := read(t, r, "f", 0, -1); err != nil || got != c.old && got != c.new {
				t.Errorf("%q, replaced by %q %s, is %q, %v", c.old, c.new, what, got, err)
			}
		}
	}
}
