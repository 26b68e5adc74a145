package vfs

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// newRigOver is newRig in a climate. tell is called for each change that the far side gets.
func newRigOver(t *testing.T, w climate, tell func(call string)) *rig {
	var saw *witness
	b := newRigAt(t, w.c, &rig{disk: disktest.New(), off: w.off, far: func(r *memory.Remote) remote.Remote {
		var far remote.Remote = r
		if w.poor {
			far = plainFTP{r}
		}
		saw = &witness{Forward: remote.Forward{Remote: &notes{Forward: remote.Forward{Remote: far}, tell: tell}}, inner: r, had: map[string]bool{}}
		return saw
	}})
	b.stop()
	b.listen()
	b.told.saw = saw
	b.start()
	return b
}

// A witness knows every file that a remote has ever had, as "name=content".
type witness struct {
	remote.Forward
	inner remote.Remote

	mu  sync.Mutex
	had map[string]bool // guarded by mu
}

// look looks at a file that was stored.
func (w *witness) look(name string, err error) {
	if err != nil {
		return
	}
	rc, err := w.inner.Open(context.Background(), name, 0, -1)
	if err != nil {
		return // it was removed since
	}
	defer rc.Close()
	content, err := io.ReadAll(rc)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.had[name+"="+string(content)] = true
}

// hasHad reports whether name had a content that ends in text.
func (w *witness) hasHad(name, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for file := range w.had {
		if strings.HasPrefix(file, name+"=") && strings.HasSuffix(file, text) {
			return true
		}
	}
	return false
}

func (w *witness) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := w.Forward.Put(ctx, name, body, o)
	w.look(name, err)
	return e, err
}

func (w *witness) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := w.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &witnessed{s, w, name}, nil
}

type witnessed struct {
	remote.Stage
	w    *witness
	name string
}

func (s *witnessed) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	e, err := s.Stage.Commit(ctx, modTime)
	s.w.look(s.name, err)
	return e, err
}

// plainFTP is a remote as a plain FTP server is one: whole files, times in whole seconds, and no
// versions.
type plainFTP struct{ inner *memory.Remote }

func (p plainFTP) Info() remote.Info {
	return remote.Info{Name: "poor:", Caps: remote.Caps{MoveDir: true, ModTime: time.Second}}
}

func (p plainFTP) entry(e remote.Entry) remote.Entry {
	return remote.Entry{Name: e.Name, Size: e.Size, Dir: e.Dir, ModTime: e.ModTime.Truncate(time.Second)}
}

func (p plainFTP) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := p.inner.Stat(ctx, name)
	if err != nil {
		return remote.Entry{}, err
	}
	return p.entry(e), nil
}

func (p plainFTP) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range p.inner.List(ctx, dir) {
			if err == nil {
				e = p.entry(e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (p plainFTP) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	rc, err := p.inner.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	return struct{ io.ReadCloser }{rc}, nil
}

func (p plainFTP) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	o.ModTime = o.ModTime.Truncate(time.Second)
	e, err := p.inner.Put(ctx, name, body, o)
	if err != nil {
		return remote.Entry{}, err
	}
	return p.entry(e), nil
}

func (p plainFTP) SetModTime(ctx context.Context, name string, t time.Time) error {
	return p.inner.SetModTime(ctx, name, t.Truncate(time.Second))
}

func (p plainFTP) CheckTime(string, time.Time) error { return nil }

func (p plainFTP) Remove(ctx context.Context, name string) error { return p.inner.Remove(ctx, name) }
func (p plainFTP) Mkdir(ctx context.Context, dir string) error   { return p.inner.Mkdir(ctx, dir) }
func (p plainFTP) Rmdir(ctx context.Context, dir string) error   { return p.inner.Rmdir(ctx, dir) }
func (p plainFTP) Move(ctx context.Context, from, to string) error {
	return p.inner.Move(ctx, from, to)
}
func (p plainFTP) Close() error { return p.inner.Close() }

// climates are combined of what is kept here, what the network does, and how often the process
// ends.
func climates() []climate {
	caches := []climate{
		{name: "off", off: true},
		{name: "minimal", c: writeback.Options{Mode: writeback.Minimal, WriteBack: time.Second, Gate: writeback.NewGate(4)}},
		{name: "writes", c: writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)}},
		{name: "full", c: writeback.Options{Mode: writeback.Full, WriteBack: 2 * time.Second, Gate: writeback.NewGate(4)}},
		{name: "acknowledged by the remote", c: writeback.Options{Mode: writeback.Writes, Ack: writeback.AckRemote, Gate: writeback.NewGate(4)}},
	}
	networks := []climate{
		{name: "answers are lost", odds: faulty.Odds{Late: 0.2, Held: 0.2, Wait: 40 * time.Second}},
		// What is late is so by less than what cannot be repeated waits for.
		{name: "changes are late", odds: faulty.Odds{
			Lost: 0.05, Late: 0.05, Delayed: 0.2, Held: 0.1, Wait: 30 * time.Second, Until: doubtedPause,
		}},
		// Only what can be repeated is done.
		{name: "changes are very late", only: []string{"store", "append", "remove", "read", "cut"}, odds: faulty.Odds{
			Lost: 0.05, Late: 0.05, Delayed: 0.2, Held: 0.1, Wait: 30 * time.Second, Until: doubtedWindow,
		}},
	}
	ends := []climate{
		{name: "no end"},
		{name: "ends and kills", end: func(rng *rand.Rand, p *past) {
			if loss := disktest.Nothing(); rng.IntN(3) == 0 {
				p.kill(nil)
			} else {
				p.kill(&loss)
			}
		}},
	}
	var all []climate
	for _, c := range caches {
		for _, n := range networks {
			for _, e := range ends {
				for _, poor := range []bool{false, true} {
					w := c
					w.name = fmt.Sprintf("%s, %s, %s", c.name, n.name, e.name)
					w.odds, w.only, w.end, w.poor, w.pace = n.odds, n.only, e.end, poor, 3*time.Second
					if poor {
						w.name += ", a poor remote"
					} else if streams(w) && n.odds.Delayed > 0 && n.only == nil {
						// What is being published there goes along with its directory.
						w.only = slices.DeleteFunc(slices.Clone(stepNames), func(s string) bool { return s == "renamedir" })
					}
					all = append(all, w)
				}
			}
		}
	}
	return slices.DeleteFunc(all, unknowable)
}

// How late a change in doubt may be in these histories.
const (
	doubtedPause  = doubtPause - time.Second
	doubtedWindow = doubtWindow - time.Minute
)

// unknowable reports whether nobody can keep the promises: what is streamed cannot be repeated, and
// without a cache what was in doubt is forgotten at the end of the process.
func unknowable(w climate) bool {
	return streams(w) && w.odds.Until > doubtedPause || w.off && w.odds.Delayed > 0 && w.end != nil
}

// streams reports whether files go to the remote while the client waits.
func streams(w climate) bool {
	return w.off || w.c.Mode == writeback.Minimal || w.c.Ack == writeback.AckRemote
}

// TestHistoriesOverANetworkThatLosesAnswers lets clients store, append, rename and delete, over a
// remote that does not answer, or late, or that does later what it was told before, and ends and
// kills the process. When nothing waits any more the remote must hold what was acknowledged last of
// each name, or something later. FERRY_MODEL_MINUTES lets it run for longer, FERRY_MODEL_SEED
// repeats a history, as far as goroutines do, and FERRY_MODEL_CLIMATE those whose name has it.
func TestHistoriesOverANetworkThatLosesAnswers(t *testing.T) {
	minutes, _ := strconv.ParseFloat(os.Getenv("FERRY_MODEL_MINUTES"), 64)
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	seed := rand.Uint64()
	if s := os.Getenv("FERRY_MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	rounds := 0
	for ; rounds < 4 || time.Now().Before(end); rounds++ {
		for _, w := range climates() {
			if !strings.Contains(w.name, os.Getenv("FERRY_MODEL_CLIMATE")) {
				continue
			}
			t.Run(fmt.Sprintf("%s %d", w.name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPast(t, w, 3, seed)
					defer func() { p.stop() }()
					p.live(40, seed)
				})
			})
		}
		if t.Failed() {
			break
		}
		seed++
	}
	t.Logf("%d histories", rounds*len(climates()))
}
