package metricsbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/disk/disktest"
	"ferry/events"
	"ferry/ftp"
	"ferry/metrics"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/intercept"
	"ferry/serve/defence"
	"ferry/vfs"
	"ferry/writeback"
)

// far is a remote that is slower than a cache.
type far struct{ remote.Forward }

func (f far) Info() remote.Info {
	info := f.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

// listener keeps what it is told.
type listener struct {
	mu  sync.Mutex
	all []events.Event
}

func (l *listener) Record(_ context.Context, e *events.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, *e)
	return nil
}

// A rig is a Bridge over a tree with a cache, of which nothing is sent before an hour.
type rig struct {
	*Bridge
	t      *testing.T
	faults *faulty.Remote
	disk   *disktest.Disk
	tree   *vfs.FS
	heard  *listener
	server *ftp.Server
}

func newRig(t *testing.T, near bool, o cache.Options) *rig {
	t.Helper()
	r := &rig{t: t, faults: faulty.New(memory.New()), disk: disktest.New(), heard: &listener{}, server: &ftp.Server{}}
	store, err := cache.Open(r.disk, o)
	if err != nil {
		t.Fatal(err)
	}
	var below remote.Remote = far{remote.Forward{Remote: r.faults}}
	if near {
		below = r.faults
	}
	r.tree = vfs.New(below, vfs.Options{
		DirCacheTime: time.Minute, Log: slog.New(slog.DiscardHandler),
		Cache: writeback.Options{Store: store, Mode: writeback.Writes, WriteBack: time.Hour},
	})
	t.Cleanup(func() {
		if err := errors.Join(r.tree.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	guard, err := defence.New(defence.Options{Off: true})
	if err != nil {
		t.Fatal(err)
	}
	options := &flags.Options{}
	options.RC.Enabled = true
	options.Metrics.QueueLate = 15 * time.Minute
	if r.Bridge, err = Open(t.Context(), options, nil, "test", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	r.Look(Subject{
		Server: r.server, Guard: guard,
		Main:   rcbridge.Opened{What: "far:", Tree: r.tree, Cache: places.Cache{Store: store}},
		Events: events.New(events.Subscription{Kinds: events.All, Listener: r.heard}),
	})
	return r
}

// want asks for the health, a second after the last time, and compares what is wrong.
func (r *rig) want(when, page, wrong string) {
	r.t.Helper()
	time.Sleep(time.Second)
	w := httptest.NewRecorder()
	r.Health().ServeHTTP(w, httptest.NewRequestWithContext(r.t.Context(), http.MethodGet, "/"+page, nil))
	body := w.Body.String()
	if wrong == "" && w.Code != http.StatusOK || wrong != "" && (w.Code != http.StatusServiceUnavailable || !strings.Contains(body, wrong)) {
		r.t.Errorf("%s %s is %d %s, not %q", when, page, w.Code, body, wrong)
	}
}

func (r *rig) upload(name, content string) {
	r.t.Helper()
	u, err := r.tree.View("bob").Create(r.t.Context(), name, 0)
	if err == nil {
		_, err = io.WriteString(u, content)
	}
	if err == nil {
		err = u.Commit(r.t.Context())
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

var errNetwork = errors.New("secret-host is away")

// A remote that is away for a moment is no reason; after half a minute it is, until it answers.
func TestTheRemoteAnswersWithinHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, cache.Options{})
		r.want("at first", "readyz", "")
		r.want("a moment later", "readyz", "")
		if n := r.faults.Calls(faulty.Stat); n != 1 {
			t.Errorf("the remote was asked %d times", n)
		}
		r.faults.Inject(faulty.Fault{Op: faulty.Stat, Err: errNetwork, Times: 1 << 20})
		r.want("at once", "readyz", "")
		time.Sleep(20 * time.Second)
		r.want("after 20 s", "readyz", "")
		time.Sleep(10 * time.Second)
		r.want("after 30 s", "readyz", "The storage cannot be reached.")
		r.want("after 30 s", "livez", "")
		r.faults.Heal()
		r.want("healed", "readyz", "")
	})
}

// A local directory is asked each time: it costs nothing, and does not come back by itself.
func TestALocalDirectoryIsAskedEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, cache.Options{})
		r.want("at first", "readyz", "")
		r.faults.Inject(faulty.Fault{Op: faulty.Stat, Err: errNetwork, Times: 1})
		r.want("away", "readyz", "The storage cannot be reached.")
		r.want("back", "readyz", "")
	})
}

func TestTheDiskOfTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, cache.Options{MinFree: 1 << 20})
		r.disk.SetSize(8 << 20)
		r.want("with room", "readyz", "")
		r.disk.SetSize(1 << 20)
		r.want("below the reserve", "readyz", "The disk of the cache is full.")
		r.disk.SetSize(8 << 20)
		r.disk.Fail(func(op, name string) error { return errNetwork })
		r.want("that fails", "readyz", "The disk of the cache cannot be written.")
		r.disk.Fail(nil)
		r.want("that works again", "readyz", "")
		r.disk.Delay(func(op, name string) time.Duration { return 20 * time.Second })
		r.want("that hangs", "readyz?verbose", "The disk of the cache cannot be written.")
		r.want("that hangs", "livez", "")
		r.disk.Delay(nil)
		time.Sleep(time.Minute)
		r.want("that has answered", "readyz", "")
	})
}

// What is not served, and what ends, is not ready; before it is known what is served neither.
func TestListenersAndTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, cache.Options{})
		at := *r.subject.Load()
		r.subject.Store(nil)
		r.want("at the start", "readyz", "The server is starting.")
		at.Listeners = 1
		r.Look(at)
		r.want("without a listener", "readyz", "Not all addresses are served.")
		if err := r.server.Close(); err != nil {
			t.Error(err)
		}
		r.want("at the end", "readyz", "The server is stopping.")
		r.want("at the end", "livez", "")
	})
}

// When a change waits for too long that is said once, and once that it is over.
func TestChangesThatWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, cache.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		r.upload("f", "content")
		time.Sleep(14 * time.Minute)
		r.want("before", "readyz", "")
		time.Sleep(time.Minute)
		r.want("after 15 minutes", "readyz", "Changes have waited for the storage for too long.")
		time.Sleep(time.Minute)
		sending, stop := context.WithCancel(ctx)
		run.Go(func() { _ = r.tree.Run(sending) }) // it returns when sending has ended
		if err := r.tree.Flush(ctx, "."); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		r.want("when it is sent", "readyz", "")
		stop()
		cancel()
		run.Wait()
		var told []string
		for _, e := range r.heard.all {
			if e.Kind == events.QueueLate {
				told = append(told, fmt.Sprintf("%v %s %d %v", e.Result, e.Remote, e.Bytes, e.Duration.Round(time.Minute)))
			}
		}
		if want := []string{"failed memory 7 15m0s", "ok memory 0 0s"}; !slices.Equal(told, want) {
			t.Errorf("told of %q, not of %q", told, want)
		}
	})
}

// The metrics show what the tree and its cache are.
func TestASnapshotOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, cache.Options{MaxSize: 64 << 20})
		r.upload("f", strings.Repeat("x", 1000))
		time.Sleep(time.Minute)
		r.faults.Inject(faulty.Fault{Op: faulty.Stat, Err: errNetwork, Times: 1 << 20})
		s := r.snapshot(t.Context())
		tree := s.Trees[0]
		if len(s.Trees) != 1 || tree.Type != "memory" || tree.Up || tree.Waiting != 1 || tree.WaitingBytes != 1000 ||
			tree.Oldest != time.Minute || !tree.Cached || tree.Dirty < 1000 || tree.Free >= 64<<20 || tree.Free < 63<<20 {
			t.Errorf("%+v", tree)
		}
		r.faults.Heal()
		if s := r.snapshot(t.Context()); !s.Trees[0].Up {
			t.Error("a remote that answers is not up")
		}
	})
}

// found returns what the first group of pattern matches in files.
func found(t *testing.T, pattern, files string) []string {
	t.Helper()
	names, err := filepath.Glob(files)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
	}
	if len(all) < 3 {
		t.Fatalf("%s is found %d times", pattern, len(all))
	}
	return all
}

// Metrics know the words of the packages that they do not import: the operations of remotes, and
// the reasons for bans.
func TestWordsOfOthersAreKnown(t *testing.T) {
	m := metrics.New(metrics.Options{})
	for _, op := range found(t, ` Op += "([a-z]+)"`, "../../../../remote/wrap/intercept/intercept.go") {
		if op != string(intercept.CheckTarget) { // is not counted
			m.Remote("s3").Called(op, "ok", time.Second)
		}
	}
	noise := found(t, `\.noise\("([^"]+)"\)`, "../../../../ftp/*.go")
	for _, reason := range append(noise, found(t, `Reason: "([^"]+)"`, "../../../../ftp/*.go")...) {
		if err := m.Record(t.Context(), &events.Event{Kind: events.Ban, Cause: reason}); err != nil {
			t.Error(err)
		}
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "ferry_") && strings.Contains(line, `="other"`) && !strings.Contains(line, "_command_") {
			t.Errorf("a word is not known: %s", line)
		}
	}
}

// Without a bridge nothing is watched, and nothing is to be asked.
func TestNobodyWatches(t *testing.T) {
	var b *Bridge
	if _, counts := b.Subscription(); counts || b.Health() != nil || b.Pages() != nil || b.Observer(remote.Info{}) != nil || b.Repeated(remote.Info{}) != nil || b.HookCalled() != nil {
		t.Error("a bridge that is not there watches")
	}
	b.Look(Subject{})
	b.Close()
	if err := b.Run(t.Context()); err != nil {
		t.Error(err)
	}
}
