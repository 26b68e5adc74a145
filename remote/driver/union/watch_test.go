package union

import (
	"context"
	"errors"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
)

func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one, two := memory.New(), memory.New()
	r, err := New(Options{Upstreams: []Upstream{{Remote: one}, {Remote: two}}})
	if err != nil {
		t.Fatal(err)
	}
	w, ok := remote.AsWatcher(r)
	if !ok {
		t.Fatal("it is no Watcher")
	}
	step := 0
	for c, err := range w.Watch(ctx, time.Minute) {
		if err != nil {
			break
		}
		switch step++; step {
		case 1:
			if c != remote.Everything() {
				t.Errorf("it begins with %+v", c)
			}
			if err := two.Mkdir(ctx, "d"); err != nil {
				t.Fatal(err)
			}
			if err := two.Rmdir(ctx, "d"); err != nil {
				t.Fatal(err)
			}
		case 2, 3: // the other upstream may have what is gone in this one
			if want := (remote.Change{Name: "d", Dir: true}); c != want {
				t.Errorf("%d: %+v", step, c)
			}
			if step == 3 {
				cancel()
			}
		}
	}
	if step != 3 {
		t.Errorf("%d changes", step)
	}
}

// A directory of an object store goes with the last that is in it.
func TestWhatIsRemovedMayHaveBeenTheLast(t *testing.T) {
	r := &Remote{info: remote.Info{Caps: remote.Caps{ImplicitDirs: true}}}
	got := r.changes(remote.Change{Name: "d/e/f", Removed: true, Version: "v"})
	if len(got) != 2 || got[0] != (remote.Change{Name: "d/e/f"}) || got[1] != (remote.Change{Name: "d/e", Dir: true, Below: true}) {
		t.Errorf("%+v", got)
	}
}

func TestAnUpstreamThatTellsNothing(t *testing.T) {
	files, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Upstreams: []Upstream{{Remote: memory.New()}, {Remote: files}}})
	if err != nil {
		t.Fatal(err)
	}
	w, ok := remote.AsWatcher(r)
	if !ok {
		t.Fatal("it is no Watcher")
	}
	for c, err := range w.Watch(t.Context(), time.Minute) {
		if !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("%+v, %v", c, err)
		}
	}
}
