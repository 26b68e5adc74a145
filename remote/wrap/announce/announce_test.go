package announce_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/announce"
)

func TestContracts(t *testing.T) {
	remotetest.RunDecorator(t, func() remote.Remote { return memory.New() },
		func(r remote.Remote) remote.Remote { return announce.New(r, nil) })
}

func TestContractsAmongNodes(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote {
		return announce.New(memory.New(), exchange(t, clustertest.New().Node()))
	})
}

// exchange returns an exchange that runs until the test ends.
func exchange(t *testing.T, e cluster.Engine) *announce.Exchange {
	x := announce.NewExchange(announce.Options{Engine: e, Node: "n", Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = x.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return x
}

// quiet is a remote at a place that reports no changes.
type quiet struct {
	remote.Remote
	place string
}

func (q quiet) Info() remote.Info {
	i := q.Remote.Info()
	i.Place = q.place
	return i
}

// place is a quiet remote with the abilities that change something.
type place struct {
	quiet
	*memory.Remote
}

func (p place) Info() remote.Info { return p.quiet.Info() }

func (place) Watch(context.Context, time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) { yield(remote.Change{}, remote.ErrUnsupported) }
}

func at(m *memory.Remote, where string) remote.Remote { return place{quiet{m, where}, m} }

// A watch keeps what it was told.
type watch struct {
	mu      sync.Mutex
	changes []remote.Change // guarded by mu
	err     error
}

// watching watches a remote until the test ends.
func watching(t *testing.T, r remote.Remote) *watch {
	t.Helper()
	w, ok := remote.AsWatcher(r)
	if !ok {
		t.Fatal("it is no watcher")
	}
	seen := &watch{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for c, err := range w.Watch(ctx, time.Minute) {
			if err != nil {
				seen.err = err
				return
			}
			seen.mu.Lock()
			seen.changes = append(seen.changes, c)
			seen.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	synctest.Wait()
	return seen
}

// take returns what was told, without versions.
func (w *watch) take() []remote.Change {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.changes
	w.changes = nil
	for i := range all {
		all[i].Version = ""
	}
	return all
}

func expect(t *testing.T, what string, got []remote.Change, want ...remote.Change) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: told %+v, want %+v", what, got, want)
	}
}

// A lab is two nodes on one remote.
type lab struct {
	server *clustertest.Server
	a, b   *clustertest.Node
	xa     *announce.Exchange
	here   *announce.Remote
	there  *announce.Remote
	watch  *watch // of there
}

func newLab(t *testing.T, place, other string) *lab {
	t.Helper()
	m, l := memory.New(), &lab{server: clustertest.New()}
	l.a, l.b = l.server.Node(), l.server.Node()
	l.xa = exchange(t, l.a)
	l.here, l.there = announce.New(at(m, place), l.xa), announce.New(at(m, other), exchange(t, l.b))
	synctest.Wait()
	l.watch = watching(t, l.there)
	expect(t, "the beginning", l.watch.take(), remote.Everything())
	return l
}

func put(t *testing.T, r remote.Remote, name string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func makeDirs(t *testing.T, r remote.Remote, names ...string) {
	t.Helper()
	for _, name := range names {
		must(t, r.Mkdir(t.Context(), name))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryChangeIsToldToOtherNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ctx := newLab(t, "sftp:u@h:/srv", "sftp:u@h:/srv"), t.Context()
		own := watching(t, l.here)
		expect(t, "the beginning here", own.take(), remote.Everything())
		stage := func(end func(remote.Stage) error) func() error {
			return func() error {
				s, err := l.here.Stage(ctx, "s", remote.StageOptions{Owner: "o"})
				if err != nil {
					return err
				}
				if _, err := io.WriteString(s, "x"); err != nil {
					return err
				}
				return end(s)
			}
		}
		s := remote.Change{Name: "s"}
		for _, step := range []struct {
			what string
			do   func() error
			want []remote.Change
		}{
			{"mkdir", func() error { return l.here.Mkdir(ctx, "d") }, []remote.Change{{Name: "d", Dir: true}}},
			{"put", func() error {
				_, err := l.here.Put(ctx, "d/f", strings.NewReader("x"), remote.PutOptions{})
				return err
			}, []remote.Change{{Name: "d/f"}}},
			{"put if", func() error {
				_, err := remote.PutIf(ctx, l.here, "d/new", strings.NewReader("x"), "", remote.PutOptions{})
				return err
			}, []remote.Change{{Name: "d/new"}}},
			{"copy", func() error { return l.here.Copy(ctx, "d/f", "d/g") }, []remote.Change{{Name: "d/g"}}},
			{"move", func() error { return l.here.Move(ctx, "d/g", "d/h") },
				[]remote.Change{{Name: "d/g", Removed: true, Below: true}, {Name: "d/h", Below: true}}},
			{"set a time", func() error { return l.here.SetModTime(ctx, "d/h", time.Unix(1, 0)) }, []remote.Change{{Name: "d/h"}}},
			{"set a mode", func() error { return l.here.SetMode(ctx, "d/h", 0o600) }, []remote.Change{{Name: "d/h"}}},
			{"remove", func() error { return l.here.Remove(ctx, "d/h") }, []remote.Change{{Name: "d/h", Removed: true}}},
			{"commit", stage(func(s remote.Stage) error { _, err := s.Commit(ctx, time.Time{}); return err }), []remote.Change{s}},
			{"keep", stage(remote.Stage.Keep), []remote.Change{s}},
			{"drop", func() error { return l.here.DropPart(ctx, "s", "o") }, []remote.Change{s}},
			{"discard", stage(remote.Stage.Abort), []remote.Change{s}},
			{"remove a version", func() error {
				e, err := l.here.Stat(ctx, "d/f")
				return errors.Join(err, remote.RemoveVersion(ctx, l.here, "d/f", e))
			}, []remote.Change{{Name: "d/f", Removed: true}}},
			{"remove another", func() error { return l.here.Remove(ctx, "d/new") }, []remote.Change{{Name: "d/new", Removed: true}}},
			{"rmdir", func() error { return l.here.Rmdir(ctx, "d") }, []remote.Change{{Name: "d", Dir: true, Removed: true, Below: true}}},
			{"what is refused", func() error { return wanted(l.here.Remove(ctx, "not there"), remote.ErrNotExist) }, nil},
			{"what is read", func() error { _, err := l.here.Stat(ctx, "s"); return err }, nil},
		} {
			must(t, step.do())
			expect(t, step.what, l.watch.take(), step.want...)
		}
		expect(t, "the node that made them", own.take())
	})
}

// wanted returns nil for the error that is wanted.
func wanted(err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return errors.Join(errors.New("another error was expected"), err)
}

func TestTheVersionOfWhatWasStoredIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		e, err := l.here.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
		must(t, err)
		synctest.Wait()
		if len(l.watch.changes) != 1 || e.Version == "" || l.watch.changes[0].Version != e.Version {
			t.Errorf("%+v, want the version %q", l.watch.changes, e.Version)
		}
	})
}

// failing fails every change after it was made, without saying what came of it.
type failing struct{ remote.Forward }

var errCut = errors.New("the connection was cut")

func (f failing) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	_, err := f.Forward.Put(ctx, name, body, o)
	return remote.Entry{}, errors.Join(err, errCut)
}

func (f failing) Mkdir(ctx context.Context, dir string) error {
	remote.Unanswered(ctx)
	return remote.ErrPermission
}

func TestWhatIsInDoubtIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		doubted := announce.New(failing{remote.Forward{Remote: at(memory.New(), "p:")}}, l.xa)
		_, err := doubted.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{})
		must(t, wanted(err, errCut))
		expect(t, "a call that was not answered", l.watch.take(), remote.Change{Name: "f"})
		told := 0
		ctx := remote.WithUnanswered(t.Context(), func() { told++ })
		must(t, wanted(doubted.Mkdir(ctx, "d"), remote.ErrPermission))
		expect(t, "a call that was refused later", l.watch.take(), remote.Change{Name: "d"})
		if told != 1 {
			t.Errorf("the caller was told %d times", told)
		}
	})
}

func TestNodesThatServeADirectoryOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := newLab(t, "s3:host/bucket", "s3:host/bucket/in/alice")
		makeDirs(t, below.here, "in", "in/alice", "in/bob")
		below.watch.take()
		put(t, below.here, "in/alice/f")
		put(t, below.here, "in/bob/f")
		put(t, below.here, "in/alicef")
		expect(t, "a directory of it", below.watch.take(), remote.Change{Name: "f"})
		must(t, below.here.Move(t.Context(), "in", "out"))
		expect(t, "its root is moved away", below.watch.take(), remote.Everything())

		above := newLab(t, "s3:host/bucket/in", "s3:host/")
		put(t, above.here, "f")
		expect(t, "what is above it", above.watch.take(), remote.Change{Name: "bucket/in/f"})

		other := newLab(t, "s3:host/bucket", "s3:host/bucket2")
		put(t, other.here, "f")
		expect(t, "another place", other.watch.take())

		hidden := newLab(t, "crypt:abc:sftp:u@h:/srv", "crypt:abc:sftp:u@h:/srv/5qj3")
		put(t, hidden.here, "f")
		expect(t, "a place whose names are encrypted", hidden.watch.take(), remote.Everything())
	})
}

func TestNamesThatAreNotUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		put(t, l.here, "a\xffb")
		expect(t, "such a name", l.watch.take(), remote.Change{Name: "a\xffb"})
	})
}

func TestOtherTreesOfTheProcessAreToldWithoutTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, node := memory.New(), clustertest.New().Node()
		node.Cut(true)
		x := exchange(t, node)
		main, user := announce.New(at(m, "p:/"), x), announce.New(at(m, "p:/user"), x)
		seen := watching(t, user)
		time.Sleep(2 * time.Second) // nobody is heard
		makeDirs(t, main, "user")
		seen.take()
		put(t, main, "user/f")
		expect(t, "a tree of a user", seen.take(), remote.Change{Name: "f"})
	})
}

func TestWhatIsChangedWhileTheEngineIsAwayIsToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		l.server.Stop()
		for i := range 3 {
			put(t, l.here, strconv.Itoa(i))
		}
		expect(t, "nothing yet", l.watch.take())
		l.server.Start(true)
		time.Sleep(3 * time.Second)
		expect(t, "later", l.watch.take(), remote.Change{Name: "0"}, remote.Change{Name: "1"}, remote.Change{Name: "2"})
		l.server.Stop()
		l.server.Start(false)
		synctest.Wait()
		expect(t, "a gap", l.watch.take(), remote.Everything())
	})
}

func TestOfTooManyChangesEverythingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		for i := range 10 {
			put(t, l.here, strconv.Itoa(i))
		}
		l.watch.take()
		l.server.Stop()
		const many = 100_000
		for i := range many {
			must(t, l.here.SetModTime(t.Context(), strconv.Itoa(i%10), time.Unix(int64(i), 0)))
			if n := l.xa.Status().Waiting; n > 20_000 {
				t.Fatalf("%d changes are kept", n)
			}
		}
		l.server.Start(true)
		time.Sleep(3 * time.Second)
		got := l.watch.take()
		if len(got) == 0 || len(got) > 1000 || !slices.Contains(got, remote.Everything()) {
			t.Errorf("%d changes are told, want everything", len(got))
		}
		put(t, l.here, "g")
		expect(t, "afterwards", l.watch.take(), remote.Change{Name: "g"})
	})
}

func TestWhileNobodyIsHeardEverythingIsForgottenAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		time.Sleep(time.Hour)
		expect(t, "an hour with the engine", l.watch.take())
		l.b.Cut(true)
		time.Sleep(announce.AwayTime + 2*time.Minute)
		expect(t, "some minutes without", l.watch.take(), remote.Everything())
		l.b.Cut(false)
		time.Sleep(time.Hour)
		expect(t, "and with it again", l.watch.take())
		if !l.xa.Status().Heard {
			t.Error("the other node is not heard")
		}
	})
}

// A node that was killed, or is cut off, may have changed something that it could not tell.
func TestWhatALostNodeCouldNotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "h", "h")
		time.Sleep(10 * time.Minute)
		expect(t, "while both are there", l.watch.take())
		l.a.Cut(true)
		if _, err := l.here.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{Size: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		expect(t, "it is lost", l.watch.take(), remote.Everything())
		time.Sleep(announce.AwayTime)
		expect(t, "it may go on", l.watch.take(), remote.Everything())
		l.a.Cut(false)
		time.Sleep(time.Minute)
		expect(t, "it is back", l.watch.take(), remote.Change{Name: "f"})
		time.Sleep(20 * time.Minute)
		expect(t, "both are there", l.watch.take())
		l.a.Cut(true)
		time.Sleep(2 * time.Minute)
		expect(t, "it is lost again", l.watch.take(), remote.Everything())
		exchange(t, l.server.Node())
		time.Sleep(time.Minute)
		expect(t, "its next process", l.watch.take(), remote.Everything())
		time.Sleep(20 * time.Minute)
		expect(t, "its next process is there", l.watch.take())
	})
}

func TestANodeThatEndsHasToldAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "h", "h")
		x := announce.NewExchange(announce.Options{Engine: l.server.Node(), Node: "other", Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = x.Run(ctx)
		}()
		time.Sleep(time.Minute)
		l.watch.take()
		cancel()
		<-ended
		time.Sleep(20 * time.Minute)
		expect(t, "after it has ended", l.watch.take())
	})
}

func TestMessagesOfOtherVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "p:", "p:")
		for _, text := range []string{`{"v":2,"changes":[{"place":"p:","name":"f"}]}`, "}", `{"v":1,"changes":[{"place":"p:","name":"../f"}]}`} {
			must(t, l.a.Publish(t.Context(), "changes", []byte(text)))
			expect(t, text, l.watch.take(), remote.Everything())
		}
	})
}

// The changes that the remote itself reports are told, too, and its failures.
func TestTheWatchBelowGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		seen := watching(t, announce.New(m, exchange(t, clustertest.New().Node())))
		seen.take()
		put(t, m, "f")
		expect(t, "a change below", seen.take(), remote.Change{Name: "f"})

		broken := brokenWatch{remote.Forward{Remote: m}}
		seen = watching(t, announce.New(broken, exchange(t, clustertest.New().Node())))
		seen.take()
		if !errors.Is(seen.err, errCut) {
			t.Errorf("the watch below broke off: %v", seen.err)
		}
	})
}

// brokenWatch breaks off.
type brokenWatch struct{ remote.Forward }

func (brokenWatch) Watch(context.Context, time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		if yield(remote.Everything(), nil) {
			yield(remote.Change{}, errCut)
		}
	}
}
