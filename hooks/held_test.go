package hooks_test

import (
	"strings"
	"testing"

	"ferry/disk"
	"ferry/hooks"
	"ferry/hooks/settings"
)

// A second server on the same directory is told what to do.
func TestAnOutboxThatIsInUse(t *testing.T) {
	dir := t.TempDir()
	list := []settings.Hook{{Name: "a", Events: []string{"delete"}, URL: "http://127.0.0.1:9/"}}
	open := func() error {
		x := hooks.New(hooks.Options{Disk: func() (disk.Disk, error) { return disk.Open(dir) }})
		t.Cleanup(func() { x.Close() })
		return x.Set(list)
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--cache-dir of its own") || !strings.Contains(err.Error(), "pid ") {
		t.Errorf("the second says %v", err)
	}
}
