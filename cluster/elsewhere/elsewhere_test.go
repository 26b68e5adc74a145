package elsewhere_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
	"ferry/cluster/elsewhere"
)

const place = "s3:host/bucket"

// A node is a process of a test.
type node struct {
	*elsewhere.Files
	engine *clustertest.Node
	log    strings.Builder
	stop   func()
}

func join(t *testing.T, s *clustertest.Server, name string) *node {
	t.Helper()
	n := &node{engine: s.Node()}
	n.Files = elsewhere.New(elsewhere.Options{Engine: n.engine, Node: name, Log: slog.New(slog.NewTextHandler(&n.log, nil))})
	n.stop = clustertest.Start(t, n.Run)
	return n
}

// pair is two nodes, a and b, each with a tree of the same place.
func pair(t *testing.T, s *clustertest.Server) (a, b *node, here, there *tree) {
	t.Helper()
	a, b = join(t, s, "a"), join(t, s, "b")
	return a, b, a.open(t, place), b.open(t, place)
}

// kill ends the node so that nobody is told.
func (n *node) kill() {
	n.engine.Cut(true)
	n.stop()
}

// queue is what waits in a tree of a test.
type queue struct {
	mu    sync.Mutex
	edits uint64
	files map[string]queued
}

type queued struct {
	size  int64
	since time.Time
}

func newQueue() *queue { return &queue{files: map[string]queued{}} }

func (q *queue) Edits() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.edits
}

func (q *queue) Unsent(age time.Duration, f func(name string, size int64, modTime time.Time)) (next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, one := range q.files {
		if due := one.since.Add(age); !due.After(time.Now()) {
			f(name, one.size, time.Unix(1e9, 5e6))
		} else if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

func (q *queue) change(f func(files map[string]queued)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f(q.files)
	q.edits++
}

func (q *queue) accept(size int64, names ...string) {
	q.change(func(files map[string]queued) {
		for _, name := range names {
			files[name] = queued{size, time.Now()}
		}
	})
}

func (q *queue) sent(names ...string) {
	q.change(func(files map[string]queued) {
		for _, name := range names {
			delete(files, name)
		}
	})
}

// A tree is one that shows what waits elsewhere.
type tree struct {
	*elsewhere.Tree
	*queue
	mu       sync.Mutex
	appeared []string
	early    []string // of these, those that were not shown any more by then
}

func (n *node) open(t *testing.T, place string) *tree {
	o := &tree{Tree: n.Tree(place), queue: newQueue()}
	o.Serve(o.queue, func(name string) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.appeared = append(o.appeared, name)
		if _, node := o.At(name); node == "" {
			o.early = append(o.early, name)
		}
	})
	t.Cleanup(o.Leave)
	return o
}

func (o *tree) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	names := o.appeared
	o.appeared = nil
	return slices.Sorted(slices.Values(names))
}

// expect compares what is shown in a directory, as "name size", and "name/".
func (o *tree) expect(t *testing.T, what, dir string, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for name, e := range o.In(dir) {
		text := fmt.Sprint(name, " ", e.Size)
		if e.Dir {
			text = name + "/"
		}
		got = append(got, text)
		full := name
		if dir != "." {
			full = dir + "/" + name
		}
		if at, node := o.At(full); node == "" || at != e || e.Name != name {
			t.Errorf("%s: %q is %+v in its directory, and %+v at %q by its name", what, full, e, at, node)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q shows %q, want %q", what, dir, got, want)
	}
}

func TestWhatWaitsShowsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		watch := watching(t, s)
		a, b, here, there := pair(t, s)
		here.accept(10, "in/x", "y", "in/deep/\xff")
		time.Sleep(400 * time.Millisecond)
		there.expect(t, "too early", ".")
		time.Sleep(300 * time.Millisecond)
		there.expect(t, "the root", ".", "in/", "y 10")
		there.expect(t, "a directory", "in", "deep/", "x 10")
		there.expect(t, "a name that is not UTF-8", "in/deep", "\xff 10")
		here.expect(t, "at its own node", ".")
		if e, node := there.At("in/x"); node != "a" || !e.ModTime.Equal(time.Unix(1e9, 5e6)) {
			t.Errorf("%+v at %q", e, node)
		}
		if e, node := there.At("in"); node != "a" || !e.Dir {
			t.Errorf("a directory: %+v at %q", e, node)
		}
		if got, want := b.Status(), (elsewhere.Status{Elsewhere: 3}); got != want {
			t.Errorf("%+v", got)
		}
		if got, want := a.Status(), (elsewhere.Status{Told: 3}); got != want {
			t.Errorf("%+v", got)
		}
		here.change(func(files map[string]queued) { // renamed, and continued
			files["in/z"] = files["in/x"]
			delete(files, "in/x")
			files["y"] = queued{20, time.Now().Add(-time.Second)}
		})
		time.Sleep(300 * time.Millisecond)
		there.expect(t, "renamed", "in", "deep/", "z 10")
		there.expect(t, "continued", ".", "in/", "y 20")
		if got := there.asked(); !slices.Equal(got, []string{"in/x"}) {
			t.Errorf("asked for again: %q", got)
		}
		here.sent("in/z", "y", "in/deep/\xff")
		time.Sleep(300 * time.Millisecond)
		there.expect(t, "all sent", ".")
		if got := there.asked(); !slices.Equal(got, []string{"in/deep/\xff", "in/z", "y"}) {
			t.Errorf("asked for again: %q", got)
		}
		if len(there.early) > 0 {
			t.Errorf("shown neither as waiting nor asked for: %q", there.early)
		}
		if keys := watch.keys(); len(keys) > 0 {
			t.Errorf("something is left in the engine: %q", keys)
		}
	})
}

// A watch sees what is written to the engine.
type watch struct {
	mu      sync.Mutex
	now     map[string][]byte
	writes  int
	bytes   int
	longest int
}

func watching(t *testing.T, s *clustertest.Server) *watch {
	w := &watch{now: map[string][]byte{}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = cluster.Values(ctx, s.Node(), elsewhere.Bucket, w.see) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return w
}

func (w *watch) see(v cluster.Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.Key == "" {
		return
	}
	w.writes++
	w.bytes += len(v.Data)
	w.longest = max(w.longest, len(v.Data))
	if w.now[v.Key] = v.Data; v.Data == nil {
		delete(w.now, v.Key)
	}
}

func (w *watch) keys() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.now))
}

// wrote returns how many values were written since it was called last.
func (w *watch) wrote() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.writes
	w.writes, w.bytes = 0, 0
	return n
}

// length returns how many bytes were written since then.
func (w *watch) length() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// What is sent soon costs no message, and what comes at once is one.
func TestFewMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		w := watching(t, s)
		_, _, here, there := pair(t, s)
		for i := range 1000 {
			name := fmt.Sprint("f", i)
			here.accept(1, name)
			time.Sleep(10 * time.Millisecond)
			if i >= 40 {
				here.sent(fmt.Sprint("f", i-40))
			}
		}
		if n := w.wrote(); n > 0 {
			t.Errorf("files that were sent within 400 ms cost %d messages", n)
		}
		time.Sleep(time.Second)
		there.expect(t, "the last ones", ".", func() (all []string) {
			for i := 960; i < 1000; i++ {
				all = append(all, fmt.Sprint("f", i, " 1"))
			}
			return all
		}()...)
		if n := w.wrote(); n > 6 {
			t.Errorf("40 files within 400 ms cost %d messages", n)
		}
		time.Sleep(elsewhere.Life / 2)
		if n := w.wrote(); n > 2 {
			t.Errorf("what stays costs %d messages in half an hour", n)
		}
	})
}

// Trees on directories of one another share what waits, others do not.
func TestPlacesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b := join(t, s, "a"), join(t, s, "b")
		all, bob := a.open(t, place), a.open(t, place+"/bob")
		all.accept(1, "bob/x", "eve/x", "x")
		bob.accept(2, "y")
		secret := a.open(t, "crypt:"+place)
		secret.accept(3, "z")
		time.Sleep(time.Second)
		b.open(t, place).expect(t, "the bucket", ".", "bob/", "eve/", "x 1")
		b.open(t, place).expect(t, "a directory of it", "bob", "x 1", "y 2")
		b.open(t, place+"/bob").expect(t, "bob", ".", "x 1", "y 2")
		b.open(t, place+"/eve").expect(t, "eve", ".", "x 1")
		b.open(t, place+"2").expect(t, "another bucket", ".")
		b.open(t, "crypt:"+place).expect(t, "encrypted", ".", "z 3")
		b.open(t, "crypt:"+place+"/d").expect(t, "below that", ".")
		all.expect(t, "its own node", ".")
	})
}

// A node that is killed is believed for a while. When it is back, it says what still waits.
func TestANodeIsKilledAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		w := watching(t, s)
		a, _, here, there := pair(t, s)
		here.accept(1, "x", "y")
		time.Sleep(time.Second)
		a.kill()
		time.Sleep(elsewhere.Life / 2)
		there.expect(t, "half of its life later", ".", "x 1", "y 1")

		again := join(t, s, "a")
		time.Sleep(time.Second)
		there.expect(t, "started, and its tree is not open", ".", "x 1", "y 1")
		back := &tree{Tree: again.Tree(place), queue: newQueue()}
		back.accept(1, "y", "z")
		back.Serve(back.queue, func(string) {})
		time.Sleep(200 * time.Millisecond)
		there.expect(t, "y waits again, z is too young", ".")
		time.Sleep(time.Second)
		there.expect(t, "back", ".", "y 1", "z 1")
		if keys := w.keys(); len(keys) != 1 {
			t.Errorf("in the engine are %q", keys)
		}
		back.Leave()
		again.kill()
		time.Sleep(elsewhere.Life + 2*time.Minute)
		there.expect(t, "it does not come back", ".")
		if got := there.asked(); !slices.Contains(got, "z") {
			t.Errorf("asked for again: %q", got)
		}
	})
}

func TestTheEngineIsAway(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprint("keep=", keep), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := clustertest.New()
				a, b, c := join(t, s, "a"), join(t, s, "b"), join(t, s, "c")
				here, there, dead := a.open(t, place), b.open(t, place), c.open(t, place)
				here.accept(1, "x", "y")
				dead.accept(1, "d")
				time.Sleep(time.Second)
				c.kill()
				s.Stop()
				here.sent("x")
				here.accept(1, "z")
				time.Sleep(5 * time.Minute)
				there.expect(t, "away", ".", "d 1", "x 1", "y 1")
				s.Start(keep)
				time.Sleep(3 * time.Second)
				if keep {
					there.expect(t, "back", ".", "d 1", "y 1", "z 1")
				}
				time.Sleep(30 * time.Second)
				if keep {
					there.expect(t, "back", ".", "d 1", "y 1", "z 1")
				} else {
					there.expect(t, "back with nothing", ".", "y 1", "z 1")
				}
				s.Stop()
				time.Sleep(elsewhere.Life + time.Minute)
				there.expect(t, "away for long", ".")
				s.Start(true)
				time.Sleep(20 * time.Minute)
				there.expect(t, "back after long", ".", "y 1", "z 1")
			})
		})
	}
}

// What was removed while one node was cut off does not stay there.
func TestANodeThatWasCutOffLearnsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, b, here, there := pair(t, s)
		here.accept(1, "x")
		time.Sleep(time.Second)
		b.engine.Cut(true)
		here.sent("x")
		time.Sleep(time.Minute)
		there.expect(t, "cut off", ".", "x 1")
		b.engine.Cut(false)
		time.Sleep(25 * time.Second)
		there.expect(t, "back", ".")
		a.engine.LoseAnswers(2)
		here.accept(1, "y")
		time.Sleep(5 * time.Second)
		there.expect(t, "answers were lost", ".", "y 1")
		a.engine.LoseAnswers(2)
		here.sent("y")
		time.Sleep(5 * time.Second)
		there.expect(t, "answers were lost again", ".")
	})
}

// What was removed here is not shown until its node says that it waits on.
func TestDroppedUntilItIsToldAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		_, _, here, there := pair(t, s)
		here.accept(1, "d/x", "y")
		time.Sleep(time.Second)
		there.Drop("d/x")
		there.Drop("nothing")
		there.expect(t, "dropped", ".", "y 1")
		here.accept(1, "z")
		time.Sleep(time.Second)
		there.expect(t, "told anew", ".", "d/", "y 1", "z 1")
		here.sent("d/x", "y", "z")
		time.Sleep(time.Second)
		there.expect(t, "sent", ".")
	})
}

func TestManyFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		w := watching(t, s)
		a, b, here, there := pair(t, s)
		var names []string
		for i := range 20_000 {
			names = append(names, fmt.Sprintf("a directory with a name of some length/a file with a longer name %d <&>", i))
		}
		here.accept(1, names...)
		time.Sleep(30 * time.Second)
		told, untold := a.Status().Told, a.Status().Untold
		if told < 5000 || told+untold != len(names) || b.Status().Elsewhere != told || len(there.In("a directory with a name of some length")) != told {
			t.Errorf("told %d, untold %d, elsewhere %d", told, untold, b.Status().Elsewhere)
		}
		synctest.Wait()
		if w.longest > 64<<10 || len(w.keys()) > 32 {
			t.Errorf("%d values of up to %d bytes", len(w.keys()), w.longest)
		}
		if n := strings.Count(a.log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, a.log.String())
		}
		w.wrote()
		began := time.Now()
		for len(names) > 0 { // as they are sent
			here.sent(names[:1000]...)
			names = names[1000:]
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		there.expect(t, "all are sent", ".")
		if rate := w.length() / int(time.Since(began)/time.Second); rate > 300<<10 || len(w.keys()) > 0 {
			t.Errorf("%d bytes in a second; left are %q", rate, w.keys())
		}
		if got := a.Status(); got != (elsewhere.Status{}) {
			t.Errorf("%+v", got)
		}
	})
}

// A value of a later version, or one that makes no sense, is left out.
func TestWhatIsNotUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		b := join(t, s, "b")
		there := b.open(t, place)
		for i, text := range []string{
			`{"v":2,"node":"a","place":"s3:host/bucket","files":[{"n":"x","s":1}]}`, `{"v":1,"node":"a","place":"s3:host/bucket","files":[{"n":"../x","s":1}]}`,
			`{"v":1,"node":"","place":"s3:host/bucket","files":[{"n":"x","s":1}]}`, `{"v":1,"node":"a","place":"s3:host/bucket","files":[{"n":"x","s":-1}]}`, `{`,
		} {
			if _, err := b.engine.Create(t.Context(), elsewhere.Bucket, fmt.Sprint("k", i), []byte(text), 0); err != nil {
				t.Fatal(err)
			}
		}
		there.expect(t, "nothing of it", ".")
	})
}

// What is left when a node ends is told at its end.
func TestTheEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustertest.New()
		a, _, here, there := pair(t, s)
		here.accept(1, "x", "y")
		time.Sleep(time.Second)
		here.sent("x")
		a.stop()
		there.expect(t, "one was sent", ".", "y 1")
	})
}
