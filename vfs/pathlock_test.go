package vfs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// gated is a remote whose changes wait at a gate: each notes that it has come, and goes on when the
// gate opens. Its Move is that of a store that copies and then removes.
type gated struct {
	remote.Forward
	gate chan struct{}
	slow time.Duration // how long a change takes behind the gate

	mu      sync.Mutex
	waiting int // guarded by mu
}

func (g *gated) wait() {
	g.mu.Lock()
	g.waiting++
	g.mu.Unlock()
	<-g.gate
	time.Sleep(g.slow)
	g.mu.Lock()
	g.waiting--
	g.mu.Unlock()
}

func (g *gated) Move(ctx context.Context, from, to string) error {
	e, err := g.Stat(ctx, from)
	if err != nil {
		return err
	}
	if e.Dir {
		g.wait()
		return g.Forward.Move(ctx, from, to)
	}
	if err := g.Copy(ctx, from, to); err != nil {
		return err
	}
	g.wait()
	return g.Forward.Remove(ctx, from)
}

func (g *gated) Remove(ctx context.Context, name string) error {
	g.wait()
	return g.Forward.Remove(ctx, name)
}

func (g *gated) Mkdir(ctx context.Context, dir string) error {
	g.wait()
	return g.Forward.Mkdir(ctx, dir)
}

func (g *gated) Rmdir(ctx context.Context, dir string) error {
	g.wait()
	return g.Forward.Rmdir(ctx, dir)
}

func (g *gated) SetModTime(ctx context.Context, name string, t time.Time) error {
	g.wait()
	return g.Forward.SetModTime(ctx, name, t)
}

func (g *gated) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	g.wait()
	return g.Forward.SetMode(ctx, name, perm)
}

func (g *gated) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := g.Forward.Stage(ctx, name, o)
	return gatedStage{s, g}, err
}

type gatedStage struct {
	remote.Stage
	g *gated
}

func (s gatedStage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.g.wait()
	return s.Stage.Commit(ctx, modTime)
}

// A change of the tree, as a session makes it.
type change struct {
	what string
	make func(ctx context.Context, v *vfs.View) error
}

func store(name, content string) change {
	return change{"store " + name, func(ctx context.Context, v *vfs.View) error {
		u, err := v.Create(ctx, name, 0)
		if err != nil {
			return err
		}
		defer u.Abort()
		if _, err := io.WriteString(u, content); err != nil {
			return err
		}
		return u.Commit(ctx)
	}}
}

func rename(from, to string) change {
	return change{"rename " + from + " to " + to, func(ctx context.Context, v *vfs.View) error { return v.Rename(ctx, from, to) }}
}

// gatedTree is a tree of some files on a gated remote.
func gatedTree(t *testing.T) (*gated, *vfs.FS) {
	t.Helper()
	m := memory.New()
	for _, dir := range []string{"d", "d/empty", "top"} {
		if err := m.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"x", "z", "d/f", "d/g"} {
		if _, err := m.Put(t.Context(), name, strings.NewReader("first"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	g := &gated{Forward: remote.Forward{Remote: m}, gate: make(chan struct{})}
	return g, vfs.New(g, vfs.Options{})
}

// Changes of one path, and of a path and what is above or below it, come one after the other;
// others do not wait.
func TestChangesOfOnePathTakeTurns(t *testing.T) {
	remove := func(name string) change {
		return change{"remove " + name, func(ctx context.Context, v *vfs.View) error { return v.Remove(ctx, name) }}
	}
	mkdir := func(dir string) change {
		return change{"mkdir " + dir, func(ctx context.Context, v *vfs.View) error { return v.Mkdir(ctx, dir) }}
	}
	rmdir := func(dir string) change {
		return change{"rmdir " + dir, func(ctx context.Context, v *vfs.View) error { return v.Rmdir(ctx, dir) }}
	}
	touch := func(name string) change {
		return change{"set the time of " + name, func(ctx context.Context, v *vfs.View) error {
			return v.SetModTime(ctx, name, time.Unix(1e9, 0))
		}}
	}
	chmod := func(name string) change {
		return change{"set the mode of " + name, func(ctx context.Context, v *vfs.View) error { return v.SetMode(ctx, name, 0o600) }}
	}
	for _, c := range []struct {
		first, second change
		waits         bool
	}{
		{rename("x", "y"), store("x", "later"), true},
		{rename("x", "y"), store("y", "later"), true},
		{rename("x", "y"), remove("x"), true},
		{rename("x", "y"), rename("z", "x"), true},
		{rename("x", "y"), mkdir("x"), true},
		{rename("x", "y"), touch("x"), true},
		{rename("x", "y"), chmod("x"), true},
		{rename("x", "y"), store("z", "later"), false},
		{rename("d", "e"), store("d/f", "later"), true},
		{rename("d", "e"), mkdir("d/new"), true},
		{rename("d", "e"), rmdir("d/empty"), true},
		{rename("d", "e"), store("e/f", "later"), true},
		{store("d/f", "now"), rename("d", "e"), true},
		{store("d/f", "now"), rename("top", "d/top"), false},
		{remove("x"), store("x", "later"), true},
		{remove("d/f"), rename("d", "e"), true},
		{rmdir("d/empty"), store("d/empty", "later"), true},
		{mkdir("new"), rename("x", "new/x"), true},
		{touch("x"), store("x", "later"), true},
		{store("x", "now"), store("x", "later"), true},
		{store("x", "now"), store("z", "later"), false},
	} {
		t.Run(c.first.what+", "+c.second.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, tree := gatedTree(t)
				one, two := tree.View("alice"), tree.View("bob")
				var group sync.WaitGroup
				group.Go(func() {
					if err := c.first.make(t.Context(), one); err != nil {
						t.Errorf("the first: %v", err)
					}
				})
				synctest.Wait()
				group.Go(func() { _ = c.second.make(t.Context(), two) }) // may be in vain
				synctest.Wait()
				if together := g.waiting == 2; g.waiting == 0 || together == c.waits {
					t.Errorf("%d changes are under way", g.waiting)
				}
				close(g.gate)
				group.Wait()
			})
		})
	}
}

// The gate holds a rename between the copy and the removal of the original.
func TestWhatIsStoredDuringARenameStays(t *testing.T) {
	for what, hide := range map[string]func(*gated) remote.Remote{
		"staged":   func(g *gated) remote.Remote { return openStage{g} },
		"streamed": func(g *gated) remote.Remote { return noStage{g} },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := gatedTree(t)
				tree := vfs.New(hide(g), vfs.Options{})
				one, two := tree.View("alice"), tree.View("bob")
				var group sync.WaitGroup
				group.Go(func() {
					if err := one.Rename(t.Context(), "x", "y"); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				group.Go(func() {
					if err := store("x", "later").make(t.Context(), two); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				close(g.gate)
				group.Wait()
				if x, y := content(t, two, "x"), content(t, two, "y"); x != "later" || y != "first" {
					t.Errorf("x holds %q, y holds %q", x, y)
				}
			})
		})
	}
}

// openStage is a gated remote with no gate before the end of an upload.
type openStage struct{ *gated }

// Stage implements remote.Stager.
func (o openStage) Stage(ctx context.Context, name string, so remote.StageOptions) (remote.Stage, error) {
	return o.Forward.Stage(ctx, name, so)
}

// noStage hides that a remote can stage. It has no Unwrap, so that it is a driver.
type noStage struct{ remote.Remote }

// Move implements remote.Mover.
func (n noStage) Move(ctx context.Context, from, to string) error {
	return n.Remote.(remote.Mover).Move(ctx, from, to)
}

// What waits for its turn ends with its context, and lets go of nothing that it does not have.
func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, tree := gatedTree(t)
		v := tree.View("alice")
		var group sync.WaitGroup
		group.Go(func() {
			if err := v.Rename(t.Context(), "x", "y"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the client is gone")
		group.Go(func() {
			if err := store("x", "later").make(ctx, v); !errors.Is(err, cause) {
				t.Errorf("the upload: %v", err)
			}
		})
		group.Go(func() {
			if err := v.Remove(ctx, "x"); !errors.Is(err, cause) {
				t.Errorf("the removal: %v", err)
			}
		})
		synctest.Wait()
		cancel(cause)
		synctest.Wait()
		close(g.gate)
		group.Wait()
		if err := store("x", "last").make(t.Context(), v); err != nil {
			t.Error(err)
		}
	})
}

// slowly is a remote that is not as quick as a cache, so that calls of it are guarded.
type slowly struct{ remote.Forward }

// Info implements remote.Remote.
func (s slowly) Info() remote.Info {
	info := s.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

// That another session works on a path for a long time is no silence of the remote, and ends in
// time.
func TestWaitingForATurnHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := gatedTree(t)
		tree := vfs.New(slowly{remote.Forward{Remote: g}}, vfs.Options{})
		defer tree.Close()
		v := tree.View("alice")
		var group sync.WaitGroup
		group.Go(func() { // it goes on as long as the remote answers
			if err := v.Rename(t.Context(), "x", "y"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		begun := time.Now()
		wantErr(t, v.Remove(t.Context(), "x"), context.DeadlineExceeded, "Another session is changing this path; try again.")
		if took := time.Since(begun); took > vfs.AnswerLimit {
			t.Errorf("that took %v", took)
		}
		group.Go(func() { // an upload is worth more than that
			if err := store("x", "later").make(t.Context(), v); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(5 * time.Minute)
		close(g.gate)
		group.Wait()
		if got := content(t, v, "x"); got != "later" {
			t.Errorf("the file holds %q", got)
		}
	})
}

// Real goroutines, many names that meet: what was acknowledged last is there.
func TestNothingIsLostWhereRenamesAndUploadsMeet(t *testing.T) {
	m := memory.New()
	g := &gated{Forward: remote.Forward{Remote: m}, gate: make(chan struct{}), slow: 200 * time.Microsecond}
	close(g.gate)
	tree := vfs.New(openStage{g}, vfs.Options{})
	v := tree.View("alice")
	lost := 0
	const rounds = 300
	for i := range rounds {
		from, to := fmt.Sprint("x", i), fmt.Sprint("y", i)
		if err := store(from, "first").make(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		group.Go(func() {
			if err := v.Rename(t.Context(), from, to); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if err := store(from, "later").make(t.Context(), v); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		if _, err := v.Stat(t.Context(), from); err == nil {
			continue
		}
		if content(t, v, to) != "later" {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d contents are lost", lost, rounds)
	}
}
