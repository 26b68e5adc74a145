package logged_test

import (
	"io/fs"
	"log/slog"
	"testing"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/logged"
)

func TestAnArchivedObjectIsALine(t *testing.T) {
	got := observe(t, slog.LevelWarn, func(t *testing.T, r *logged.Remote, faults *faulty.Remote) {
		faults.Inject(faulty.Fault{Op: faulty.Open, Times: 1, Err: &fs.PathError{Op: "open", Path: "f", Err: remote.ErrArchived}})
		if _, err := r.Open(t.Context(), "f", 0, -1); err == nil {
			t.Error("no error")
		}
	})
	compare(t, got, `level=WARN msg=open remote=memory: name=f offset=0 took=0s error="open f: open f: the object is archived; restore it first (injected into open f)"`)
}
