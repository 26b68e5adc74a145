package prehooks

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/events"
	"ferry/remote/driver/local"
	"ferry/vfs"
)

// A listener notes which files it is told of.
type listener struct{ told []string }

func (l *listener) Record(_ context.Context, e *events.Event) error {
	l.told = append(l.told, e.Path+" is "+e.Name)
	return nil
}

// TestQuarantineIsNotTold: what was refused is not stored, wherever it is kept.
func TestQuarantineIsNotTold(t *testing.T) {
	refusing := script(`case "$FERRY_PATH" in /bad) exit 1;; esac`, check)
	refusing.Quarantine = "/held"
	st := newStage(t, refusing)
	r, err := local.New(st.dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	st.under = vfs.New(r, vfs.Options{Events: events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: l})})
	defer st.under.Close()
	for _, name := range []string{"good", "bad"} {
		ctx := events.WithOrigin(t.Context(), events.Origin{ID: name, Path: "/" + name})
		u, err := st.tree("ann").Create(ctx, name, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		if err := u.Commit(ctx); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
		u.Abort()
	}
	if kept, err := os.ReadDir(filepath.Join(st.dir, "held")); err != nil || len(kept) != 1 {
		t.Errorf("in quarantine are %v, %v", kept, err)
	}
	if got := strings.Join(l.told, ", "); got != "/good is good" {
		t.Errorf("told: %s", got)
	}
}
