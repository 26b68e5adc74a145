package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
	"ferry/ftp"
)

// A member is a node of a test.
type member struct {
	store  *Store
	engine *clustertest.Node
	stop   func()
}

func join(t *testing.T, s *clustertest.Server, name, dir string, offline bool) *member {
	t.Helper()
	node := s.Node()
	m := joinBy(t, node, name, dir, offline)
	m.engine = node
	return m
}

func joinBy(t *testing.T, engine cluster.Engine, name, dir string, offline bool) *member {
	t.Helper()
	m := &member{store: NewStore(filepath.Join(dir, name))}
	if err := m.store.Share(Sharing{Engine: engine, Node: name, Offline: offline}); err != nil {
		t.Fatal(err)
	}
	m.stop = clustertest.Start(t, m.store.Run)
	return m
}

// kill ends the node so that nobody is told.
func (m *member) kill() {
	m.engine.Cut(true)
	m.stop()
}

// session returns what a session of bob sees.
func (m *member) session(t *testing.T, tree ftp.FS, l Limits) *FS {
	t.Helper()
	a, err := m.store.Account("bob", l)
	if err != nil {
		t.Fatal(err)
	}
	return New(tree, a, slog.New(slog.DiscardHandler))
}

// leave ends the session, and not the tree, which is of all.
func (f *FS) leave(t *testing.T) {
	t.Helper()
	if err := f.account.Close(); err != nil {
		t.Error(err)
	}
}

func (m *member) expect(t *testing.T, what string, want Usage) {
	t.Helper()
	if got, err := m.store.Usage("bob"); err != nil || got != want {
		t.Errorf("%s: node %s has counted %+v, %v; want %+v", what, m.store.nodes.node, got, err, want)
	}
}

func TestNodesCountTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		a, b := join(t, s, "a", dir, false), join(t, s, "b", dir, false)
		limits := Limits{Bytes: 1000, Files: 10}
		one, two := a.session(t, tree, limits), b.session(t, tree, limits)
		time.Sleep(time.Second)
		for _, step := range []struct {
			what string
			do   func() error
			want error
		}{
			{"one stores", func() error { return put(one, "a", 0, 400, false) }, nil},
			{"two stores", func() error { return put(two, "b", 0, 400, true) }, nil},
			{"two stores more than is left", func() error { return put(two, "c", 0, 300, true) }, ftp.ErrQuota},
			{"one too", func() error { return put(one, "c", 0, 201, false) }, ftp.ErrQuota},
			{"one stores all that is left", func() error { return put(one, "c", 0, 200, true) }, nil},
			{"two stores a byte", func() error { return put(two, "d", 0, 1, true) }, ftp.ErrQuota},
			{"two replaces what one stored by as much", func() error { return put(two, "a", 0, 400, true) }, nil},
			{"two removes what one stored", func() error { return two.Remove(t.Context(), "a") }, nil},
			{"one uses that", func() error { return put(one, "e", 0, 400, true) }, nil},
			{"one stores a byte", func() error { return put(one, "f", 0, 1, true) }, ftp.ErrQuota},
		} {
			if err := step.do(); !errors.Is(err, step.want) {
				t.Errorf("%s: %v, want %v", step.what, err, step.want)
			}
		}
		time.Sleep(5 * time.Second)
		a.expect(t, "after all", Usage{1000, 3})
		b.expect(t, "after all", Usage{1000, 3})
		if free, err := two.Free(t.Context(), "."); err != nil || free != 0 {
			t.Errorf("free: %d, %v", free, err)
		}
		one.leave(t)
		two.leave(t)
		time.Sleep(time.Minute)
		c, _, err := a.store.nodes.get(t.Context(), "bob")
		if err != nil || c.others("", time.Now()) != (Usage{}) {
			t.Errorf("sessions have ended, and %+v is leased, %v", c, err)
		}
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		if len(a.store.accounts) != 0 {
			t.Error("an account that nobody uses is open")
		}
	})
}

func TestFilesAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		var sessions []*FS
		for _, name := range []string{"a", "b", "c"} {
			sessions = append(sessions, join(t, s, name, dir, false).session(t, tree, Limits{Files: 20}))
		}
		stored := 0
		for i := range 60 {
			switch err := put(sessions[i%3], fmt.Sprint(i), 0, 10, false); {
			case err == nil:
				stored++
			case !errors.Is(err, ftp.ErrQuota):
				t.Fatal(err)
			}
		}
		if stored != 20 {
			t.Errorf("%d files are stored", stored)
		}
	})
}

// TestALeaseLastsWithoutTheEngine has the engine go away while a lease lasts.
func TestALeaseLastsWithoutTheEngine(t *testing.T) {
	for _, offline := range []bool{false, true} {
		t.Run(fmt.Sprintf("offline=%v", offline), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { withoutEngine(t, offline) })
		})
	}
}

func withoutEngine(t *testing.T, offline bool) {
	s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
	a, b := join(t, s, "a", dir, offline), join(t, s, "b", dir, offline)
	limits := Limits{Bytes: 10 << 20}
	one, two := a.session(t, tree, limits), b.session(t, tree, limits)
	if err := put(one, "first", 0, 1000, false); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	s.Stop()
	begun := time.Now()
	stored, err := 0, error(nil)
	for ; err == nil && stored < 40; stored++ {
		err = put(one, fmt.Sprint("more", stored), 0, 10_000, false)
	}
	if took := time.Since(begun); took != 0 {
		t.Errorf("it took %v", took)
	}
	switch {
	case offline && err != nil:
		t.Errorf("with --quota-offline allow after %d: %v", stored, err)
	case !offline && (!errors.Is(err, ftp.ErrQuota) || stored < 5 || stored > 20):
		t.Errorf("with --quota-offline refuse after %d: %v", stored, err)
	}
	if !offline {
		var full *errFull
		if !errors.As(err, &full) || full.Hint() == tooMuch {
			t.Errorf("the client is told %v", err)
		}
	}
	s.Start(true)
	time.Sleep(10 * time.Second)
	there, err := Scan(t.Context(), tree)
	if err != nil {
		t.Fatal(err)
	}
	b.expect(t, "the engine is back", there)
	if err := put(two, "last", 0, 9<<20, false); err != nil {
		t.Errorf("the engine is back: %v", err)
	}
}

const tooMuch = "You may not store that much: delete something first."

// TestALeaseEnds has a node be cut off for so long that others take its lease.
func TestALeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		a, b := join(t, s, "a", dir, false), join(t, s, "b", dir, false)
		limits := Limits{Bytes: 100_000}
		one, two := a.session(t, tree, limits), b.session(t, tree, limits)
		if err := put(one, "a", 0, 10_000, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		a.engine.Cut(true)
		if err := put(two, "b", 0, 90_000, false); !errors.Is(err, ftp.ErrQuota) {
			t.Errorf("what a node that is cut off has leased can be used: %v", err)
		}
		begun, n := time.Now(), int64(0)
		for ; put(one, fmt.Sprint("c", n), 0, 10, false) == nil; n++ {
			time.Sleep(15 * time.Second) // longer than a lease is kept that nobody uses
		}
		if alone := time.Since(begun); alone < ownLife-time.Minute || alone > ownLife {
			t.Errorf("what it has leased could be used for %v", alone)
		}
		time.Sleep(3 * time.Minute)
		if err := put(two, "b", 0, 90_000, false); err != nil {
			t.Errorf("after 11 minutes: %v", err)
		}
		a.engine.Cut(false)
		time.Sleep(5 * time.Second)
		a.expect(t, "back", Usage{100_000 + 10*n, 2 + n}) // beyond the limit by less than what it had leased
	})
}

// TestWhatALostNodeHasCountedIsTold has a node be killed that comes back, with its disk or without.
func TestWhatALostNodeHasCountedIsTold(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		t.Run(fmt.Sprintf("disk=%v", keeps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
				a, b := join(t, s, "a", dir, false), join(t, s, "b", dir, false)
				limits := Limits{Bytes: 1_000_000}
				one := a.session(t, tree, limits)
				if err := put(one, "a", 0, 10_000, false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				if err := put(one, "b", 0, 1000, false); err != nil {
					t.Fatal(err)
				}
				a.kill()
				b.expect(t, "lost", Usage{10_000, 1})
				want := Usage{11_000, 2}
				if !keeps {
					dir, want = t.TempDir(), Usage{10_000, 1}
				}
				a = join(t, s, "a", dir, false)
				time.Sleep(15 * time.Second)
				b.expect(t, "back", want)
				a.expect(t, "back", want)
				two := a.session(t, tree, limits)
				if err := put(two, "c", 0, 1000, false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(15 * time.Second)
				b.expect(t, "after one more", want.plus(Usage{1000, 1}))
			})
		})
	}
}

// TestHowANodeJoins has nodes that have counted alone before.
func TestHowANodeJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		for name, u := range map[string]Usage{"a": {5000, 5}, "b": {3000, 3}} {
			if err := NewStore(filepath.Join(dir, name)).Set("bob", u); err != nil {
				t.Fatal(err)
			}
		}
		limits := Limits{Bytes: 10_000}
		a := join(t, s, "a", dir, false)
		one := a.session(t, tree, limits)
		time.Sleep(time.Second)
		a.expect(t, "the first node brings what it has counted", Usage{5000, 5})
		b := join(t, s, "b", dir, false)
		two := b.session(t, tree, limits)
		time.Sleep(time.Second)
		b.expect(t, "the second does not", Usage{5000, 5})
		if err := put(two, "f", 0, 6000, false); !errors.Is(err, ftp.ErrQuota) {
			t.Errorf("more than is left: %v", err)
		}
		if err := b.store.SetForAll(t.Context(), "bob", Usage{3000, 3}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		a.expect(t, "scanned", Usage{3000, 3})
		if err := put(two, "f", 0, 6000, false); err != nil {
			t.Errorf("after a scan: %v", err)
		}
		one.leave(t)
		two.leave(t)
		time.Sleep(time.Minute)
		a.stop()
		b.stop()
		// b counts alone for a while.
		alone := counted(t, NewStore(filepath.Join(dir, "b")), tree, limits)
		if got := alone.account.Usage(); got != (Usage{9000, 4}) {
			t.Errorf("alone it has %+v", got)
		}
		if err := put(alone, "g", 0, 500, false); err != nil {
			t.Fatal(err)
		}
		alone.leave(t)
		a, b = join(t, s, "a", dir, false), join(t, s, "b", dir, false)
		b.session(t, tree, limits)
		time.Sleep(time.Second)
		a.expect(t, "what was counted alone counts for all", Usage{9500, 5})
		if got, err := a.store.Told(t.Context(), "bob"); err != nil || got != (Usage{9500, 5}) {
			t.Errorf("told %+v, %v", got, err)
		}
	})
}

func TestTheEngineForgetsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		a, b := join(t, s, "a", dir, false), join(t, s, "b", dir, false)
		limits := Limits{Bytes: 1_000_000}
		one, two := a.session(t, tree, limits), b.session(t, tree, limits)
		for i := range 6 {
			if err := errors.Join(put(one, fmt.Sprint("a", i), 0, 1000, false), put(two, fmt.Sprint("b", i), 0, 500, false)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if i%2 == 0 {
				s.Stop()
				s.Start(false)
				time.Sleep(5 * time.Second)
			}
		}
		a.expect(t, "after all", Usage{9000, 12})
		b.expect(t, "after all", Usage{9000, 12})
	})
}

// What a node has told and another one has not heard yet counts, although the engine has forgotten
// it, and the other one tells it what there is.
func TestTheEngineForgetsWhatOneNodeHasNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		a, b := join(t, s, "a", dir, false), join(t, s, "b", dir, false)
		limits := Limits{Bytes: 1_000_000}
		one, two := a.session(t, tree, limits), b.session(t, tree, limits)
		store := func(f *FS, name string, size int) {
			t.Helper()
			if err := put(f, name, 0, size, false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(15 * time.Second)
		}
		store(one, "a", 1000)
		store(two, "b", 500)
		a.engine.Delay(time.Hour)
		store(two, "c", 500)
		b.engine.Cut(true)
		s.Stop()
		a.engine.Delay(0)
		s.Start(false)
		time.Sleep(5 * time.Second)
		store(one, "d", 1000)
		b.engine.Cut(false)
		time.Sleep(15 * time.Second)
		store(two, "e", 500)
		a.expect(t, "after all", Usage{3500, 5})
		b.expect(t, "after all", Usage{3500, 5})
	})
}

// slow is an engine that takes its time.
type slow struct{ cluster.Engine }

func (s slow) Get(ctx context.Context, bucket, key string) (cluster.Value, error) {
	defer time.Sleep(rand.N(50 * time.Millisecond))
	return s.Engine.Get(ctx, bucket, key)
}

func (s slow) Update(ctx context.Context, bucket, key string, data []byte, revision uint64, life time.Duration) (uint64, error) {
	time.Sleep(rand.N(50 * time.Millisecond))
	defer time.Sleep(rand.N(50 * time.Millisecond))
	return s.Engine.Update(ctx, bucket, key, data, revision, life)
}

// TestSessionsOfNodesAtOnce has sessions of three nodes store what would fit once.
func TestSessionsOfNodesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		limits := Limits{Bytes: 2 << 20, Files: 100}
		var all sync.WaitGroup
		for node := range 3 {
			m := joinBy(t, slow{s.Node()}, fmt.Sprint("node", node), dir, false)
			for i := range 4 {
				f := m.session(t, tree, limits)
				all.Go(func() {
					defer f.leave(t)
					random := rand.New(rand.NewPCG(uint64(node), uint64(i)))
					for j := range 60 {
						err := put(f, fmt.Sprint(node, "-", i, "-", j%20), 0, random.IntN(50_000), j%2 == 0)
						if err != nil && !errors.Is(err, ftp.ErrQuota) {
							t.Error(err)
						}
						if j%5 == 0 {
							f.Remove(t.Context(), fmt.Sprint(node, "-", i, "-", random.IntN(20)))
						}
						time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
						if there, err := Scan(t.Context(), tree); err != nil || there.Bytes > limits.Bytes || there.Files > limits.Files {
							t.Errorf("%+v is there, %v", there, err)
						}
					}
				})
			}
		}
		all.Wait()
		time.Sleep(time.Minute)
		there, err := Scan(t.Context(), tree)
		if err != nil {
			t.Fatal(err)
		}
		m := join(t, s, "another", dir, false)
		time.Sleep(time.Second)
		m.expect(t, "after all", there)
	})
}
