//go:build unix

package local

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"ferry/remote"
)

// TestSpecialsAreNotServed would hang if a fifo were waited for.
func TestSpecialsAreNotServed(t *testing.T) {
	for name, tree := range trees() {
		for _, links := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, tree, Options{CopyLinks: links})
				root := filepath.Join(s.top, "root")
				must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o666))
				l, err := net.Listen("unix", filepath.Join(root, "socket"))
				must(t, err)
				defer l.Close()
				s.link("fifo", "link to fifo")
				if got := s.names("."); got != "d f" {
					t.Errorf("listed: %s", got)
				}
				for _, special := range []string{"fifo", "socket"} {
					for op, err := range s.everything(special) {
						if op != "List" && !errors.Is(err, remote.ErrPermission) {
							t.Errorf("%s %s: %v", op, special, err)
						}
						if op == "List" && !errors.Is(err, remote.ErrNotDir) {
							t.Errorf("%s %s: %v", op, special, err)
						}
					}
					s.storingFails(special, remote.ErrPermission)
				}
				if _, err := s.r.Open(t.Context(), "link to fifo", 0, -1); err == nil {
					t.Error("a link to a fifo was opened")
				}
			})
		}
	}
}
