package quota

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// elsewhere is a file of 70 bytes that waits at another node.
type elsewhere struct{}

func (elsewhere) At(name string) (remote.Entry, string) {
	if name != "f" {
		return remote.Entry{}, ""
	}
	return remote.Entry{Name: "f", Size: 70}, "n2"
}

func (elsewhere) In(string) map[string]remote.Entry { return nil }

func (elsewhere) Drop(string) {}

// A file that waits at another node is counted there, so that one of its name is a new one here.
func TestWhatWaitsElsewhereIsNotReplaced(t *testing.T) {
	s := NewStore(t.TempDir())
	tree := vfs.New(memory.New(), vfs.Options{Elsewhere: elsewhere{}})
	t.Cleanup(func() { tree.Close() })
	f := counted(t, s, tree.View("bob"), Limits{Bytes: 100})
	if err := put(f, "f", 0, 30, false); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Usage("bob"); err != nil || got != (Usage{30, 1}) {
		t.Errorf("used are %+v, %v", got, err)
	}
}
