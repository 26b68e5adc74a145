package writeback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/disk/disktest"
	"ferry/events"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// A preparer notes what it is told and when, as "prepare 1.stored, there is nothing".
type preparer struct {
	there func(name string) string // what the remote has
	asks  func(e events.Event)     // called by Prepare; nil = nothing is

	mu       sync.Mutex
	heard    []string                // guarded by mu
	prepared map[string]events.Event // guarded by mu; neither recorded nor withdrawn
	fails    error                   // guarded by mu
}

func (p *preparer) note(what string, e *events.Event) {
	p.heard = append(p.heard, fmt.Sprintf("%s %s%s", what, e.Path, p.there(e.Name)))
}

func (p *preparer) Prepare(_ context.Context, e *events.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return p.fails
	}
	if p.asks != nil {
		p.asks(*e)
	}
	p.note("prepare", e)
	p.prepared[e.ID] = *e
	return nil
}

func (p *preparer) Record(_ context.Context, e *events.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note("record", e)
	delete(p.prepared, e.ID)
	return nil
}

func (p *preparer) Withdraw(_ context.Context, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.prepared[id]
	p.note("withdraw", &e)
	delete(p.prepared, id)
}

func (p *preparer) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

// A stager is a Tree or a Direct.
type stager interface {
	Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error)
	Run(ctx context.Context) error
	Stored(ctx context.Context, e events.Event) (bool, error)
}

// streamer is a Direct over a remote that cannot stage.
type streamer struct{ *Direct }

func (s streamer) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	return s.Stream(ctx, name, o.New)
}

// ways are all ways in which an upload is published while its client waits.
var ways = map[string]struct {
	whole bool // the remote cannot stage
	make  func(t *testing.T, below remote.Remote, stream *events.Stream) stager
	size  int // of the upload, or more
	op    faulty.Op
}{
	"direct": {make: func(_ *testing.T, below remote.Remote, stream *events.Stream) stager {
		return NewDirect(below, DirectOptions{Events: stream})
	}, op: faulty.Commit},
	"direct, streamed": {whole: true, make: func(_ *testing.T, below remote.Remote, stream *events.Stream) stager {
		return streamer{NewDirect(below, DirectOptions{Events: stream})}
	}, op: faulty.Put},
	"ack remote": {make: func(t *testing.T, below remote.Remote, stream *events.Stream) stager {
		return cachedTree(t, below, cache.Options{}, Options{Mode: Writes, Ack: AckRemote, Events: stream})
	}, op: faulty.Put},
	"larger than the cache": {make: func(t *testing.T, below remote.Remote, stream *events.Stream) stager {
		return cachedTree(t, below, cache.Options{MaxSize: 2 << 20}, Options{Mode: Writes, Events: stream})
	}, size: 4 << 20, op: faulty.Put},
	"minimal": {make: func(t *testing.T, below remote.Remote, stream *events.Stream) stager {
		return cachedTree(t, below, cache.Options{}, Options{Mode: Minimal, Events: stream})
	}, op: faulty.Commit},
	"minimal, streamed": {whole: true, make: func(t *testing.T, below remote.Remote, stream *events.Stream) stager {
		return cachedTree(t, below, cache.Options{}, Options{Mode: Minimal, Events: stream})
	}, op: faulty.Put},
}

func cachedTree(t *testing.T, below remote.Remote, room cache.Options, o Options) *Tree {
	store, err := cache.Open(disktest.New(), room)
	if err != nil {
		t.Fatal(err)
	}
	o.Store = store
	b := breaker.New(breaker.Options{})
	names := dircache.New(below, b, dircache.Options{Time: time.Minute})
	t.Cleanup(func() {
		b.Close()
		if err := errors.Join(names.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return New(names.Direct(), names, b, o)
}

// A site is one of ways over a remote in memory.
type site struct {
	stager
	t      *testing.T
	inner  *memory.Remote
	faults *faulty.Remote
	p      *preparer
	body   string
}

// inEachWay runs test once for each of ways, in time that costs nothing.
func inEachWay(t *testing.T, test func(s *site, op faulty.Op)) {
	overEachRemote(t, func(r remote.Remote) remote.Remote { return r }, test)
}

// overEachRemote is inEachWay over what wrap makes of the remote.
func overEachRemote(t *testing.T, wrap func(remote.Remote) remote.Remote, test func(s *site, op faulty.Op)) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &site{t: t, inner: memory.New(), body: "abc" + strings.Repeat("x", way.size)}
				s.p = &preparer{prepared: map[string]events.Event{}, there: func(name string) string {
					if e, err := s.inner.Stat(context.Background(), name); err == nil {
						return fmt.Sprintf(", there are %d", e.Size)
					}
					return ""
				}}
				s.faults = faulty.New(s.inner)
				below := wrap(s.faults)
				if way.whole {
					below = wholes{below}
				}
				stream := events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: s.p})
				s.stager = way.make(t, below, stream)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				defer func() {
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
				}()
				test(s, way.op)
			})
		})
	}
}

// store uploads the body, and what more says, as name.
func (s *site) store(ctx context.Context, name, more string) error {
	ctx = events.WithOrigin(ctx, events.Origin{ID: more, User: "bob", Path: "/" + name, Time: time.Now()})
	u, err := s.Stage(ctx, name, remote.StageOptions{Owner: "bob"})
	if err != nil {
		return err
	}
	if _, err = io.WriteString(u, s.body+more); err == nil {
		_, err = u.Commit(ctx, time.Time{})
	}
	if err != nil {
		return errors.Join(err, u.Abort())
	}
	return nil
}

func (s *site) want(want ...string) {
	s.t.Helper()
	if got := s.p.take(); !slices.Equal(got, want) {
		s.t.Errorf("heard %q, want %q", got, want)
	}
}

// there is how the preparer puts that the remote has the body and more.
func (s *site) there(more string) string { return fmt.Sprintf(", there are %d", len(s.body+more)) }

func TestAnUploadIsAnnouncedBeforeTheRemoteHasIt(t *testing.T) {
	inEachWay(t, func(s *site, _ faulty.Op) {
		for _, more := range []string{"1", "22"} {
			if err := s.store(s.t.Context(), "x", more); err != nil {
				s.t.Fatal(err)
			}
		}
		s.want("prepare /x", "record /x"+s.there("1"), "prepare /x"+s.there("1"), "record /x"+s.there("22"))
		if err := errors.Join(s.upload("nobody")); err != nil {
			s.t.Fatal(err)
		}
		s.want()
	})
}

// upload stores a file on nobody's behalf.
func (s *site) upload(name string) error {
	u, err := s.Stage(s.t.Context(), name, remote.StageOptions{Owner: "bob"})
	if err != nil {
		return err
	}
	_, err = u.Commit(s.t.Context(), time.Time{})
	return err
}

func TestWhatTheRemoteRefusesIsWithdrawn(t *testing.T) {
	inEachWay(t, func(s *site, op faulty.Op) {
		s.faults.Inject(faulty.Fault{Op: op, Err: remote.ErrTooLarge})
		if err := s.store(s.t.Context(), "x", "1"); !errors.Is(err, remote.ErrTooLarge) {
			s.t.Errorf("got %v", err)
		}
		if got := s.p.take(); len(got) > 0 && !slices.Equal(got, []string{"prepare /x", "withdraw /x"}) {
			s.t.Errorf("heard %q", got)
		}
		s.wantSettled()
	})
}

// wantSettled checks that nothing is open.
func (s *site) wantSettled() {
	s.t.Helper()
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if len(s.p.prepared) > 0 {
		s.t.Errorf("still prepared are %+v", s.p.prepared)
	}
}

func TestAnUploadThatCannotBeAnnouncedIsNotPublished(t *testing.T) {
	inEachWay(t, func(s *site, _ faulty.Op) {
		s.p.fails = errors.New("the outbox is full")
		err := s.store(s.t.Context(), "x", "1")
		hint := interface{ Hint() string }(nil)
		if !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &hint) || !strings.Contains(err.Error(), "the outbox is full") {
			s.t.Errorf("got %v", err)
		}
		synctest.Wait()
		if _, err := s.inner.Stat(s.t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
			s.t.Errorf("the remote has it: %v", err)
		}
		s.p.fails = nil
		if err := s.store(s.t.Context(), "x", "22"); err != nil {
			s.t.Fatal(err)
		}
		s.want("prepare /x", "record /x"+s.there("22"))
	})
}

// TestWhatIsInDoubtIsSettledLater: when the remote can be asked, and the doubt is over.
func TestWhatIsInDoubtIsSettledLater(t *testing.T) {
	for name, arrives := range map[string]bool{"it was stored": true, "it was not": false} {
		t.Run(name, func(t *testing.T) {
			inEachWay(t, func(s *site, op faulty.Op) {
				s.faults.Inject(faulty.Fault{Op: op, Times: -1, Delayed: arrives, Lost: !arrives, Until: time.Second, Err: errNetwork})
				if err := s.store(s.t.Context(), "x", "1"); err == nil {
					s.t.Fatal("it was answered")
				}
				there := ""
				if arrives {
					there = s.there("1")
				}
				s.faults.Heal()
				s.faults.Inject(faulty.Fault{Op: faulty.Stat, Times: 2, Err: errNetwork})
				s.want("prepare /x")
				time.Sleep(doubtWindow - 10*time.Second)
				s.want()
				time.Sleep(10 * time.Minute)
				if arrives {
					s.want("record /x" + there)
				} else {
					s.want("withdraw /x")
				}
				s.wantSettled()
			})
		})
	}
}

// TestWhatIsInDoubtIsSettledBeforeTheNameIsUsedAgain: later nobody could know.
func TestWhatIsInDoubtIsSettledBeforeTheNameIsUsedAgain(t *testing.T) {
	inEachWay(t, func(s *site, op faulty.Op) {
		s.faults.Inject(faulty.Fault{Op: op, Times: -1, Delayed: true, Until: time.Second, Err: errNetwork})
		if err := s.store(s.t.Context(), "x", "1"); err == nil {
			s.t.Fatal("it was answered")
		}
		s.faults.Heal()
		if err := s.store(s.t.Context(), "x", "2"); err != nil {
			s.t.Fatal(err)
		}
		there := s.there("1")
		s.want("prepare /x", "record /x"+there, "prepare /x"+there, "record /x"+there)
		s.wantSettled()
	})
}

// plain is a remote that says less of its files.
type plain struct {
	remote.Forward
	versions, times bool // it has them
}

func (p plain) Info() remote.Info {
	info := p.Forward.Info()
	info.Caps.CheapStat = false
	if !p.times {
		info.Caps.ModTime = 0
	}
	return info
}

func (p plain) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := p.Forward.Stat(ctx, name)
	if !p.versions {
		e.Version = ""
	}
	return e, err
}

// TestStored asks in the moment before the file is published, and in the one after, as a process
// does that was killed between.
func TestStored(t *testing.T) {
	for name, wrap := range map[string]func(remote.Remote) remote.Remote{
		"a remote that says all":   func(r remote.Remote) remote.Remote { return r },
		"a remote far away":        func(r remote.Remote) remote.Remote { return plain{remote.Forward{Remote: r}, true, true} },
		"a remote of no versions":  func(r remote.Remote) remote.Remote { return plain{remote.Forward{Remote: r}, false, true} },
		"a remote that sets times": func(r remote.Remote) remote.Remote { return plain{remote.Forward{Remote: r}, false, false} },
	} {
		t.Run(name, func(t *testing.T) {
			overEachRemote(t, wrap, func(s *site, _ faulty.Op) {
				var prepared []events.Event
				time.Sleep(doubtPause) // before that a Direct does not know what may still arrive
				s.p.asks = func(e events.Event) {
					prepared = append(prepared, e)
					if is, err := s.Stored(s.t.Context(), e); is || err != nil {
						s.t.Errorf("before the remote has it: %v, %v", is, err)
					}
				}
				for i := range 3 {
					if err := s.store(s.t.Context(), "x", fmt.Sprint(i)); err != nil {
						s.t.Fatal(err)
					}
					if name == "a remote that says all" {
						time.Sleep(time.Second)
					} else { // those stored a moment ago may be this one
						time.Sleep(time.Hour)
					}
					if is, err := s.Stored(s.t.Context(), prepared[i]); !is || err != nil {
						s.t.Errorf("when the remote has it: %v, %v", is, err)
					}
				}
				if _, err := s.inner.Put(s.t.Context(), "x", strings.NewReader("of others"), remote.PutOptions{}); err != nil {
					s.t.Fatal(err)
				}
				if is, err := s.Stored(s.t.Context(), prepared[2]); is || err != nil {
					s.t.Errorf("when others have replaced it: %v, %v", is, err)
				}
				s.faults.Inject(faulty.Fault{Op: faulty.Stat, Err: errNetwork})
				if _, err := s.Stored(s.t.Context(), prepared[2]); err == nil {
					s.t.Error("a remote that does not answer knows it")
				}
				other := prepared[2]
				other.Place = "elsewhere"
				if _, err := s.Stored(s.t.Context(), other); !errors.Is(err, remote.ErrInvalid) {
					s.t.Errorf("of another remote: %v", err)
				}
				if err := s.inner.Remove(s.t.Context(), "x"); err != nil {
					s.t.Fatal(err)
				}
				if is, err := s.Stored(s.t.Context(), prepared[2]); is || err != nil {
					s.t.Errorf("when it is gone: %v, %v", is, err)
				}
			})
		})
	}
}

// TestWhatMayStillArriveIsNotDenied: a Direct keeps no notes of what an earlier process has sent.
func TestWhatMayStillArriveIsNotDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: &preparer{}})
		d := NewDirect(memory.New(), DirectOptions{Events: stream})
		e := events.Event{Kind: events.UploadStored, Place: "memory:", Name: "x", Size: 3, Time: time.Now()}
		if is, err := d.Stored(t.Context(), e); err == nil {
			t.Errorf("at the start: %v", is)
		}
		time.Sleep(doubtPause)
		if is, err := d.Stored(t.Context(), e); is || err != nil {
			t.Errorf("later: %v, %v", is, err)
		}
	})
}

// walked counts how often it is asked for a name.
type walked struct {
	remote.Forward
	stats int
}

func (w *walked) Stat(ctx context.Context, name string) (remote.Entry, error) {
	w.stats++
	return w.Forward.Stat(ctx, name)
}

// To know what it replaces, an upload walks no path where its stage can say it.
func TestWhatAnUploadReplacesIsAskedOfItsStage(t *testing.T) {
	disk, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	counted := &walked{Forward: remote.Forward{Remote: disk}}
	defer counted.Close()
	p := &preparer{prepared: map[string]events.Event{}, there: func(string) string { return "" }}
	var versions []string
	p.asks = func(e events.Event) { versions = append(versions, fmt.Sprint(e.Overwrote, e.Replaced != "")) }
	stream := events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: p})
	s := &site{t: t, p: p, stager: NewDirect(counted, DirectOptions{Events: stream}), body: "abc"}
	if err := errors.Join(s.store(t.Context(), "x", "1"), s.store(t.Context(), "x", "2")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"false false", "true true"}; !slices.Equal(versions, want) || counted.stats != 0 {
		t.Errorf("it replaces %q, want %q; %d calls of Stat", versions, want, counted.stats)
	}
}

// What an upload replaces is not asked for where nobody is told before it is published: a log does
// not slow it.
func TestWhatAnUploadReplacesIsNotAskedForALog(t *testing.T) {
	disk, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	counted := &walked{Forward: remote.Forward{Remote: disk}}
	defer counted.Close()
	l := &listener{}
	stream := events.New(events.Subscription{Kinds: events.Of(events.UploadStored), Listener: l})
	s := &site{t: t, stager: NewDirect(counted, DirectOptions{Events: stream}), body: "abc"}
	if err := errors.Join(s.store(t.Context(), "x", "1"), s.store(t.Context(), "x", "2")); err != nil {
		t.Fatal(err)
	}
	if got := l.last(); len(l.told()) != 2 || got.Overwrote || counted.stats != 0 {
		t.Errorf("told %+v last of %q; %d calls of Stat", got, l.told(), counted.stats)
	}
}
