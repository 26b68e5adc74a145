package writeback

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/events"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

// A listener notes what it is told, as "stored in/x 3 was in/x.part".
type listener struct {
	mu    sync.Mutex
	heard []events.Event // guarded by mu
	fails error          // guarded by mu
}

func (l *listener) Record(_ context.Context, e *events.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails == nil {
		l.heard = append(l.heard, *e)
	}
	return l.fails
}

func (l *listener) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = err
}

func (l *listener) told() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.heard {
		text := fmt.Sprintf("%s %s %d", strings.TrimPrefix(e.Kind.String(), "upload."), e.Path, e.Size)
		if len(e.Before) > 0 {
			text += " was " + strings.Join(e.Before, " ")
		}
		all = append(all, text)
	}
	return all
}

func (l *listener) last() events.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard[len(l.heard)-1]
}

// newToldRig is newRig with a listener.
func newToldRig(t *testing.T, o Options) (*rig, *listener) {
	l := &listener{}
	o.Events = events.New(events.Subscription{Kinds: events.Of(events.UploadStored, events.UploadRefused), Listener: l})
	return newRig(t, o), l
}

// bobs is the origin of an upload: the client sees the directory in of the tree as its root.
func bobs(ctx context.Context, id, path string) context.Context {
	return events.WithOrigin(ctx, events.Origin{
		ID: id, Session: 7, User: "bob", Address: netip.MustParseAddrPort("192.0.2.1:2121"), TLS: "1.3", Client: "tester",
		Path: path, Time: time.Now(),
	})
}

// receive is upload of a file below in, by bob.
func (b *rig) receive(id, path, content string) {
	b.t.Helper()
	b.ok(b.tryReceive(bobs(b.t.Context(), id, path), "in"+path, content))
}

func (b *rig) tryReceive(ctx context.Context, name, content string) error {
	u, err := b.Stage(b.t.Context(), name, remote.StageOptions{Owner: "bob"})
	if err != nil {
		return err
	}
	if _, err = u.Write([]byte(content)); err == nil {
		_, err = u.Commit(ctx, time.Time{})
	}
	if err != nil {
		return errors.Join(err, u.Abort())
	}
	return nil
}

func TestWhatBecomesOfUploads(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(b *rig)
		want []string
	}{
		{"stored", func(b *rig) { b.receive("1", "/x", "abc") }, []string{"stored /x 3"}},
		{"renamed before it is sent", func(b *rig) {
			b.receive("1", "/x.part", "abc")
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
		}, []string{"stored /x 3 was /x.part"}},
		{"renamed twice, and out of the tree of its client", func(b *rig) {
			b.receive("1", "/x.part", "abc")
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
			b.ok(b.Rename(b.t.Context(), "in/x", "y"))
		}, []string{"stored /y 3 was /x.part /x"}},
		{"renamed when it is sent", func(b *rig) {
			b.receive("1", "/x.part", "abc")
			b.flush()
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
		}, []string{"stored /x.part 3"}},
		{"renamed onto another that waits", func(b *rig) {
			b.receive("1", "/x", "old")
			b.receive("2", "/x.part", "abcd")
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
		}, []string{"stored /x 4 was /x.part"}},
		{"superseded before it is sent", func(b *rig) {
			b.receive("1", "/x", "old")
			b.receive("2", "/x", "abcd")
		}, []string{"stored /x 4"}},
		{"superseded when it is sent", func(b *rig) {
			b.receive("1", "/x", "old")
			b.flush()
			b.receive("2", "/x", "abcd")
		}, []string{"stored /x 3", "stored /x 4"}},
		{"superseded while it is sent, for longer than a minute", func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 2 * time.Minute, Slow: true})
			b.receive("1", "/x", "old")
			time.Sleep(150 * time.Second)
			b.receive("2", "/x", "abcd")
			synctest.Wait()
		}, []string{"stored /x 3", "stored /x 4"}},
		{"renamed when it is sent, before the remote answers", func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 10 * time.Second, Held: true})
			b.receive("1", "/x.part", "abc")
			time.Sleep(65 * time.Second)
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
			synctest.Wait()
		}, []string{"stored /x 3 was /x.part"}},
		{"removed before it is sent", func(b *rig) {
			b.receive("1", "/x", "old")
			b.ok(b.Remove(b.t.Context(), "in/x"))
		}, nil},
		{"its time is set", func(b *rig) {
			b.receive("1", "/x", "abc")
			b.ok(b.SetModTime(b.t.Context(), "in/x", time.Unix(1e9, 0)))
		}, []string{"stored /x 3"}},
		{"of nobody", func(b *rig) { b.upload("in/x", "abc") }, nil},
		{"after a restart", func(b *rig) {
			b.receive("1", "/x.part", "abc")
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
			b.restart()
		}, []string{"stored /x 3 was /x.part"}},
		{"sent, but the answer was lost", func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
			b.receive("1", "/x", "abc")
		}, []string{"stored /x 3"}},
		{"in doubt", func(b *rig) {
			b.late(faulty.Put)
			b.receive("1", "/x", "abc")
			b.flush()
			b.receive("2", "/x", "abcd")
			b.flush()
			b.deliver()
			b.settle()
		}, []string{"stored /x 3", "stored /x 4"}},
		{"renamed while it is in doubt", func(b *rig) {
			b.late(faulty.Put)
			b.receive("1", "/x.part", "abc")
			b.flush()
			b.receive("2", "/x.part", "abcd")
			b.flush()
			if w := b.Waiting(); w.Changes != 1 {
				b.t.Errorf("nothing is in doubt: %+v", w)
			}
			b.ok(b.Rename(b.t.Context(), "in/x.part", "in/x"))
			b.settle()
		}, []string{"stored /x.part 3", "stored /x.part 4"}},
		{"refused, and taken when its directory is renamed", func(b *rig) {
			b.has("in/d/keep", "")
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: remote.ErrTooLarge})
			b.receive("1", "/d/x", "abc")
			_ = b.Flush(b.t.Context(), ".") // it is refused
			b.ok(b.Rename(b.t.Context(), "in/d", "in/e"))
		}, []string{"refused /d/x 3", "stored /e/x 3 was /d/x"}},
		{"in a directory that is renamed", func(b *rig) {
			b.has("in/d/keep", "")
			b.receive("1", "/d/x", "abc")
			b.ok(b.Rename(b.t.Context(), "in/d", "in/e"))
		}, []string{"stored /d/x 3"}},
		{"refused, and taken later", func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: remote.ErrTooLarge})
			b.receive("1", "/x", "abc")
			_ = b.Flush(b.t.Context(), ".") // it is refused
			b.restart()
			synctest.Wait()
		}, []string{"refused /x 3", "stored /x 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, l := newToldRig(t, Options{WriteBack: time.Minute, Mode: Full})
				b.has("in/keep", "")
				tt.do(b)
				b.flush()
				if got := l.told(); !slices.Equal(got, tt.want) {
					t.Errorf("told %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestAnEventSaysWhoseUploadItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newToldRig(t, Options{WriteBack: time.Minute, Mode: Writes})
		b.has("in/x", "before")
		b.receive("1", "/x", "abc")
		time.Sleep(time.Hour)
		b.flush()
		e, err := b.inner.Stat(t.Context(), "in/x")
		b.ok(err)
		got := l.last()
		want := events.Event{
			Kind: events.UploadStored, ID: "1.stored", Time: got.Time, Session: 7, User: "bob",
			Address: netip.MustParseAddrPort("192.0.2.1:2121"), TLS: "1.3", Client: "tester", Path: "/x", Name: "in/x", Remote: "memory", Place: "memory:",
			Size: 3, ModTime: e.ModTime, Version: e.Version, Digest: got.Digest, Duration: time.Minute, Overwrote: true,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("told\n%+v, want\n%+v", got, want)
		}
		b.receive("2", "/new", "abc")
		b.flush()
		if got = l.last(); got.Path != "/new" || got.Overwrote {
			t.Errorf("told of a new file that it has replaced one: %+v", got)
		}
	})
}

// TestWhatCannotBeRecordedIsRecordedLater: the file is not sent again for that, and its record
// stays until then.
func TestWhatCannotBeRecordedIsRecordedLater(t *testing.T) {
	for name, refuse := range map[string]bool{"stored": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, l := newToldRig(t, Options{Mode: Writes})
				b.has("in/keep", "")
				l.fail(errors.New("the disk is full"))
				sent := b.faults.Calls(faulty.Put)
				if refuse {
					b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: remote.ErrTooLarge})
				}
				b.receive("1", "/x", "abc")
				time.Sleep(10 * time.Minute)
				w := b.Waiting()
				if w.Changes != 1 || w.LastError == nil || !strings.Contains(w.LastError.Error(), "the disk is full") {
					t.Errorf("waiting is %+v", w)
				}
				l.fail(nil)
				time.Sleep(2 * time.Minute)
				if w := b.Waiting(); w.Changes != 0 {
					t.Errorf("waiting is still %+v", w)
				}
				if got, want := l.told(), []string{name + " /x 3"}; !slices.Equal(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
				if n := b.faults.Calls(faulty.Put) - sent; n != 1 {
					t.Errorf("the file was sent %d times", n)
				}
			})
		})
	}
}

func TestAnOriginSurvivesARecord(t *testing.T) {
	for _, u := range []upload{
		{Origin: events.Origin{ID: "1", Path: "/x"}},
		{Origin: events.Origin{
			ID: "1", Session: 1 << 60, User: "b\xffb", Address: netip.MustParseAddrPort("[2001:db8::1]:21"), TLS: "1.2", Client: "100% \xc3\xa4",
			Path: "/in/\xff%41", Name: "\xff%41", Time: time.Date(2026, 11, 30, 1, 2, 3, 4, time.UTC),
		}, before: []string{"/\xff", "/%zz", "/a b"}},
	} {
		got, ok := unpack(cache.Record{Origin: u.pack()})
		if !ok || !reflect.DeepEqual(got, u) {
			t.Errorf("kept %+v, got %+v, %v", u, got, ok)
		}
	}
	for _, text := range []string{"", "{}", "{", `{"id":7}`} {
		if u, ok := unpack(cache.Record{Origin: text}); ok {
			t.Errorf("%q is %+v", text, u)
		}
	}
	// The keys are those of doc/cache-format.md: the next ferry reads them.
	golden := `{"id":"01k","session":7,"user":"bob","address":"192.0.2.1:2121","tls":"1.3","client":"tester",` +
		`"path":"/x","name":"in/x","time":"2026-11-30T01:02:03Z","before":["/x.part"]}`
	u := upload{Origin: events.Origin{
		ID: "01k", Session: 7, User: "bob", Address: netip.MustParseAddrPort("192.0.2.1:2121"), TLS: "1.3", Client: "tester",
		Path: "/x", Name: "in/x", Time: time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC),
	}, before: []string{"/x.part"}}
	if got := u.pack(); got != golden {
		t.Errorf("kept as %s, want %s", got, golden)
	}
	later := cache.Record{Origin: strings.Replace(golden, "{", `{"later":1,`, 1)}
	if got, ok := unpack(later); !ok || !reflect.DeepEqual(got, u) {
		t.Errorf("a later ferry kept %s; read as %+v", later.Origin, got)
	}
	// What a client sends does not make it large.
	u = upload{Origin: events.Origin{ID: "1", Path: "/0", Name: "0", Client: strings.Repeat("c", 10000)}}
	rec := cache.Record{Name: "0", Origin: u.pack()}
	for i := range 100 {
		rec.Origin = renamedOrigin(rec)
		rec.Name = fmt.Sprint(i + 1)
	}
	u, _ = unpack(rec)
	if want := []string{"/0", "/93", "/94", "/95", "/96", "/97", "/98", "/99"}; !slices.Equal(u.before, want) || len(rec.Origin) > 500 {
		t.Errorf("%d bytes, before: %q", len(rec.Origin), u.before)
	}
}
